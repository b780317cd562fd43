import { ArrowDown, ArrowUp, Trash2 } from 'lucide-react'
import type { ComponentProps } from 'react'
import { attempt, say } from '../data/toasts.ts'
import { usePage, useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { Problem } from '../ui/Problem.tsx'
import type { ListedRule } from './use-rules.ts'

const list = texts.ruleList

/** One rule with its buttons: up, down, remove. */
export function RuleRow({ listed, at }: { listed: readonly ListedRule[]; at: number }) {
  const page = usePage()
  const { rule, sentence } = listed[at]!
  const { workspace, id, createdAt: _, ...fields } = rule
  const before = (place: number) => {
    const next = listed[place]
    return next ? { before: next.rule.id } : {}
  }
  const move = useSubmit((place: number) => page.call('rules.move', { workspace, id, ...before(place) }))
  const remove = useSubmit(async () => {
    await page.call('rules.remove', { workspace, id })
    const restore = (): void =>
      void attempt(list.notRestored, () => page.call('rules.add', { workspace, ...fields, ...before(at + 1) }))
    say(list.removed(sentence), { action: { label: list.undo, act: restore } })
  })
  return (
    <li className="rule">
      <span className="rule-at faint" aria-hidden>
        {at + 1}
      </span>
      <span className="rule-words">{sentence}</span>
      <span className="rule-acts">
        <Act icon={ArrowUp} label={list.upOne(sentence)} title={list.up} off={at === 0} act={() => move.run(at - 1)} />
        <Act
          icon={ArrowDown}
          label={list.downOne(sentence)}
          title={list.down}
          off={at === listed.length - 1}
          act={() => move.run(at + 2)}
        />
        <Act
          icon={Trash2}
          label={list.removeOne(sentence)}
          title={list.remove}
          off={remove.pending}
          act={() => remove.run()}
        />
      </span>
      <Problem error={move.problem ?? remove.problem} />
    </li>
  )
}

type ActProps = ComponentProps<typeof IconButton> & { readonly off: boolean; readonly act: () => void }

/** A button that stays focusable while it is off: a rule that reaches an end by keyboard must keep the focus. */
function Act({ off, act, ...rest }: ActProps) {
  return <IconButton className="small" aria-disabled={off} onClick={() => off || act()} {...rest} />
}
