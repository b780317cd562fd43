import { Link } from '@tanstack/react-router'
import { CircleCheckBig } from 'lucide-react'
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import type { Interaction } from '../../src/model/interaction.ts'
import { overlay } from '../data/overlay.ts'
import { agentName, useAgents } from '../data/queries.ts'
import { inboxOf } from '../data/tree.ts'
import { useWorkspace } from '../data/use-page.ts'
import { QuestionCard } from '../session/questions/QuestionCard.tsx'
import { SessionContext } from '../session/session-context.ts'
import { age, fullTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Empty } from '../ui/Empty.tsx'
import { answerByKey, isTyping } from '../ui/keys.ts'
import { useNow } from '../ui/use-now.ts'
import { AnswerAll } from './AnswerAll.tsx'
import { type Alike, alikeOf, placeOf } from './alike.ts'
import './inbox.css'

export const InboxView = () => <Inbox title={<h1>{texts.inbox.title}</h1>} />

interface Props {
  readonly title: ReactNode
  /** Shown at the end of the head. */
  readonly end?: ReactNode
}

/** All open questions of the workspace, oldest first, each with its answers. */
export function Inbox({ title, end }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const workspace = useWorkspace()
  const open = useMemo(() => inboxOf(workspace), [workspace])
  const alike = useMemo(() => alikeOf(open, workspace), [open, workspace])
  const [chosenId, setChosen] = useState<string | null>(null)
  const at = Math.max(
    0,
    open.findIndex(({ id }) => id === chosenId),
  )
  useInboxKeys(box, { open, at }, setChosen)
  const oldest = open[0]
  const now = useNow(10_000, open.length > 0)
  return (
    <div className="inbox" ref={box}>
      <header className="inbox-head">
        {title}
        <p className="faint grow" role="status">
          {oldest && texts.inbox.open(open.length, age(now - oldest.openedAt))}
        </p>
        {open.length > 0 && (
          <p className="faint inbox-keys" aria-hidden>
            <kbd>j</kbd> <kbd>k</kbd> {texts.inbox.keys.move}, <kbd>1</kbd>-<kbd>9</kbd> {texts.inbox.keys.choose}
          </p>
        )}
        <Button label={texts.ruleList.title} onClick={() => overlay.set({ kind: 'rules' })} />
        {end}
      </header>
      {open.length === 0 ? (
        <Empty icon={CircleCheckBig} {...texts.inbox.empty} />
      ) : (
        <ol className="inbox-list scroll" aria-label={texts.inbox.list}>
          {open.map((interaction, index) => (
            <Asked
              key={interaction.id}
              interaction={interaction}
              alike={alike.get(interaction.id)}
              chosen={index === at}
              now={now}
              onChoose={() => setChosen(interaction.id)}
            />
          ))}
        </ol>
      )}
    </div>
  )
}

interface AskedProps {
  readonly interaction: Interaction
  /** Set for the first of several identical questions. */
  readonly alike: Alike | undefined
  readonly chosen: boolean
  readonly now: number
  readonly onChoose: () => void
}

function Asked({ interaction, alike, chosen, now, onChoose }: AskedProps) {
  const workspace = useWorkspace()
  const agents = useAgents().data?.agents
  const session = workspace.sessions[interaction.session]
  const space = workspace.spaces[interaction.space]
  const root = placeOf(workspace, interaction)
  const scope = useMemo(
    () => ({ session: interaction.session, workspace: interaction.workspace, root, live: true }),
    [interaction.session, interaction.workspace, root],
  )
  return (
    <li className="asked" data-asked={interaction.id} data-chosen={chosen || undefined} onPointerDown={onChoose}>
      <p className="asked-head">
        <Link to="/s/$session" params={{ session: interaction.session }} className="cut">
          {session?.name ?? texts.ui.session}
        </Link>
        <span className="faint cut">
          {[space?.name, agentName(agents, interaction.agent)].filter(Boolean).join(' · ')}
        </span>
        <span className="grow" />
        <time className="faint" title={fullTime(interaction.openedAt)}>
          {age(now - interaction.openedAt)}
        </time>
      </p>
      {alike && <AnswerAll alike={alike} />}
      <SessionContext value={scope}>
        <QuestionCard interaction={interaction.id} question={interaction.question} expiresAt={interaction.expiresAt} />
      </SessionContext>
    </li>
  )
}

interface Place {
  readonly open: readonly Interaction[]
  readonly at: number
}

/** Keys of the inbox: j and k move, digits answer. The chosen question stays chosen while others come and go. */
function useInboxKeys(box: RefObject<HTMLElement | null>, place: Place, choose: (id: string) => void): void {
  const latest = useRef(place)
  useEffect(() => {
    latest.current = place
  })
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const { open: list, at: here } = latest.current
      const chosen = list[here]
      const dialog = box.current?.closest('[role="dialog"]') ?? null
      if (!chosen || isTyping(event, dialog)) return
      const next = event.key === 'j' ? list[here + 1] : event.key === 'k' ? list[here - 1] : undefined
      if (next) {
        choose(next.id)
        // Scrolls by keyboard only: a list that moves under a finger causes wrong taps.
        box.current?.querySelector(`[data-asked="${next.id}"]`)?.scrollIntoView({ block: 'nearest' })
      } else answerByKey(event, chosen.id, chosen.question, dialog)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [box, choose])
}
