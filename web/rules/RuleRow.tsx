import { ArrowDown, ArrowUp, Trash2 } from 'lucide-react'
import type { ReactNode } from 'react'
import { attempt, say } from '../data/toasts.ts'
import { usePage, useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
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
        <Act label={list.upOne(sentence)} title={list.up} off={at === 0} act={() => move.run(at - 1)}>
          <ArrowUp aria-hidden />
        </Act>
        <Act
          label={list.downOne(sentence)}
          title={list.down}
          off={at === listed.length - 1}
          act={() => move.run(at + 2)}
        >
          <ArrowDown aria-hidden />
        </Act>
        <Act label={list.removeOne(sentence)} title={list.remove} off={remove.pending} act={() => remove.run()}>
          <Trash2 aria-hidden />
        </Act>
      </span>
      <Problem error={move.problem ?? remove.problem} />
    </li>
  )
}

interface ActProps {
  readonly label: string
  readonly title: string
  readonly off: boolean
  readonly act: () => void
  readonly children: ReactNode
}

/** A button that stays focusable while it is off: a rule that reaches an end by keyboard must keep the focus. */
function Act({ label, title, off, act, children }: ActProps) {
  return (
    <button
      type="button"
      className="btn quiet icon small"
      aria-label={label}
      title={title}
      aria-disabled={off}
      onClick={() => off || act()}
    >
      {children}
    </button>
  )
}
