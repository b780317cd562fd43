import { ArrowDown, ArrowUp, Trash2 } from 'lucide-react'
import type { ReactNode } from 'react'
import { usePage, useSubmit } from '../data/use-page.ts'
import { attempt, say } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import type { ListedRule } from './use-rules.ts'

const list = texts.ruleList

/** One rule: what it says, and the ways to move it by one and to take it away. */
export function RuleRow({ listed, at }: { listed: readonly ListedRule[]; at: number }) {
  const page = usePage()
  const { rule, words } = listed[at]!
  const { workspace, id, createdAt: _, ...fields } = rule
  const before = (place: number) => {
    const next = listed[place]
    return next ? { before: next.rule.id } : {}
  }
  const move = useSubmit((place: number) => page.call('rules.move', { workspace, id, ...before(place) }))
  const remove = useSubmit(async () => {
    await page.call('rules.remove', { workspace, id })
    const putBack = (): void =>
      void attempt(list.notPutBack, () => page.call('rules.add', { workspace, ...fields, ...before(at + 1) }))
    say(list.removed(words), { action: { label: list.undo, act: putBack } })
  })
  return (
    <li className="rule">
      <span className="rule-at faint" aria-hidden>
        {at + 1}
      </span>
      <span className="rule-words">{words}</span>
      <span className="rule-acts">
        <Act label={list.upOne(words)} title={list.up} off={at === 0} act={() => move.run(at - 1)}>
          <ArrowUp aria-hidden />
        </Act>
        <Act label={list.downOne(words)} title={list.down} off={at === listed.length - 1} act={() => move.run(at + 2)}>
          <ArrowDown aria-hidden />
        </Act>
        <Act label={list.removeOne(words)} title={list.remove} off={remove.pending} act={() => remove.run()}>
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

/** Stays focusable while it does nothing: who moves a rule by keyboard up to the end must not be thrown out there. */
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
