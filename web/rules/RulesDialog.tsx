import { Plus } from 'lucide-react'
import { useRef, useState } from 'react'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { RuleForm } from './RuleForm.tsx'
import { RuleRow } from './RuleRow.tsx'
import { type ListedRule, useRules } from './use-rules.ts'
import './rules.css'

const labels = texts.ruleList

/** The permission rules of the workspace in order of precedence. Rules are added, moved and removed here. */
export function RulesDialog({ onClose }: { onClose: () => void }) {
  const { data, error, isPending } = useRules()
  const { spaces } = useWorkspace()
  const [adding, setAdding] = useState(false)
  const returning = useRef(false)
  const listed = (data?.rules ?? []).map((rule): ListedRule => {
    const space = rule.space === null ? null : (spaces[rule.space]?.name ?? labels.goneSpace)
    return { rule, sentence: texts.rules.sentence(rule, space) }
  })
  if (adding) {
    const back = (): void => {
      returning.current = true
      setAdding(false)
    }
    return (
      <Dialog title={labels.form.title} onClose={onClose} className="rules-dialog">
        <RuleForm listed={listed} onClose={back} />
      </Dialog>
    )
  }
  return (
    <Dialog title={labels.title} onClose={onClose} className="rules-dialog">
      <p className="dim">{labels.text}</p>
      <Problem error={error} />
      {isPending && <p className="faint late">{labels.loading}</p>}
      {data && <RuleList listed={listed} />}
      <div className="actions">
        <Button
          icon={Plus}
          label={labels.add}
          disabled={!data}
          ref={(button) => {
            if (!button || !returning.current) return
            returning.current = false
            button.focus()
          }}
          onClick={() => setAdding(true)}
        />
        <span className="grow" />
        <Button label={labels.close} onClick={onClose} />
      </div>
    </Dialog>
  )
}

function RuleList({ listed }: { listed: readonly ListedRule[] }) {
  if (listed.length === 0) {
    return (
      <div className="rules-none">
        <p>{labels.none}</p>
        <p className="faint">{labels.noneHint}</p>
      </div>
    )
  }
  return (
    <ol className="rules" aria-label={labels.order}>
      {listed.map(({ rule }, at) => (
        <RuleRow key={rule.id} listed={listed} at={at} />
      ))}
    </ol>
  )
}
