import { Menu } from '@base-ui/react/menu'
import { ChevronDown } from 'lucide-react'
import { allowance, type Question } from '../../../src/model/interaction.ts'
import { overlay } from '../../data/overlay.ts'
import { usePage, usePageState, useSubmit, useWorkspaceId } from '../../data/use-page.ts'
import { texts } from '../../texts/texts.ts'
import { Problem } from '../../ui/Problem.tsx'
import { useSession } from '../session-context.ts'
import { offersFor, type RuleOffer } from './rule-offers.ts'

/** Offers permission rules for a question. A choice adds the rule to the Space and answers this question. */
export function RuleOffers({ interaction, question }: { interaction: string; question: Question }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const { root } = useSession()
  const space = usePageState((state) => state.workspace?.interactions[interaction]?.space ?? null)
  const name = usePageState((state) => (space && state.workspace?.spaces[space]?.name) || texts.rules.thisSpace)
  const add = useSubmit(async ({ rule }: RuleOffer) => {
    const once = allowance(question)
    if (!once) return
    await page.call('rules.add', { workspace, action: 'allow', space, ...rule })
    await page.call('interactions.answer', { workspace, id: interaction, answer: { option: once.id } })
  })
  const offers = offersFor(question, root)
  if (offers.length === 0 || space === null) return null
  return (
    <>
      <Menu.Root>
        <Menu.Trigger className="btn quiet" disabled={add.pending}>
          {texts.rules.make}
          <ChevronDown aria-hidden />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className="positioner" sideOffset={4} align="start">
            <Menu.Popup className="popup rule-offers">
              {offers.map((offer) => (
                <Menu.Item key={offer.label} className="popup-item" onClick={() => add.run(offer)}>
                  <span>
                    <span className="rule-offer">{offer.label}</span>
                    <span className="choice-note">{texts.rules.offer.note(name, offer.note)}</span>
                  </span>
                </Menu.Item>
              ))}
              <Menu.Item className="popup-item" onClick={() => overlay.set({ kind: 'rules' })}>
                {texts.rules.all}
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <Problem error={add.problem} what={texts.rules.notAdded} />
    </>
  )
}
