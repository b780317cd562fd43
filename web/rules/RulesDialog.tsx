import { Plus } from 'lucide-react'
import { useRef, useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { RuleForm } from './RuleForm.tsx'
import { RuleRow } from './RuleRow.tsx'
import { type ListedRule, useRules } from './use-rules.ts'
import './rules.css'

const words = texts.ruleList

/** The standing answers of the workspace, in the order they are tried; added, moved and removed here. */
export function RulesDialog({ onClose }: { onClose: () => void }) {
  const { data, error, isPending } = useRules()
  const { spaces } = useWorkspace()
  const [adding, setAdding] = useState(false)
  const returning = useRef(false)
  const listed = (data?.rules ?? []).map((rule): ListedRule => {
    const space = rule.space === null ? null : (spaces[rule.space]?.name ?? words.goneSpace)
    return { rule, words: texts.rules.sentence(rule, space) }
  })
  if (adding) {
    const back = (): void => {
      returning.current = true
      setAdding(false)
    }
    return (
      <Dialog title={words.form.title} open onClose={onClose} className="rules-dialog">
        <RuleForm listed={listed} onClose={back} />
      </Dialog>
    )
  }
  return (
    <Dialog title={words.title} open onClose={onClose} className="rules-dialog">
      <p className="dim">{words.text}</p>
      <Problem error={error && asCarrelError(error)} />
      {isPending && <p className="faint late">{words.loading}</p>}
      {data && listed.length === 0 && (
        <div className="rules-none">
          <p>{words.none}</p>
          <p className="faint">{words.noneHint}</p>
        </div>
      )}
      {listed.length > 0 && (
        <ol className="rules" aria-label={words.order}>
          {listed.map(({ rule }, at) => (
            <RuleRow key={rule.id} listed={listed} at={at} />
          ))}
        </ol>
      )}
      <div className="actions">
        <button
          type="button"
          className="btn"
          disabled={!data}
          ref={(button) => {
            if (!button || !returning.current) return
            returning.current = false
            button.focus()
          }}
          onClick={() => setAdding(true)}
        >
          <Plus aria-hidden />
          {words.add}
        </button>
        <span className="grow" />
        <button type="button" className="btn" onClick={onClose}>
          {words.close}
        </button>
      </div>
    </Dialog>
  )
}
