import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import { PathClass, type PathRule } from '../../src/model/files/conflicts.ts'
import { texts } from '../texts/texts.ts'
import { Button, IconButton } from '../ui/Button.tsx'
import { option } from '../ui/option.tsx'

interface Props {
  readonly rules: readonly PathRule[]
  readonly onRules: (rules: PathRule[]) => void
}

const ACTIONS = ['allow', 'confirm', 'block'] as const

/** The rules in order of precedence. */
export function FileRulesTable({ rules, onRules }: Props) {
  const labels = texts.places.rules
  const { columns } = labels
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <div className="rules-scroll scroll" tabIndex={0}>
        <table className="rules-table">
          <thead>
            <tr>
              <th scope="col">{columns.glob}</th>
              <th scope="col">{columns.class}</th>
              <th scope="col">{columns.action}</th>
              <th scope="col">
                <span className="hidden">{columns.acts}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rules.map((_, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a rule has no identity but its position
              <RuleFields key={at} rules={rules} at={at} onRules={onRules} />
            ))}
          </tbody>
        </table>
      </div>
      <Button
        icon={Plus}
        label={labels.add}
        className="rules-add"
        onClick={() => onRules([...rules, { glob: '', class: 'work', action: 'confirm' }])}
      />
    </>
  )
}

function RuleFields({ rules, at, onRules }: Props & { readonly at: number }) {
  const labels = texts.places.rules
  const rule = rules[at]!
  const change = (part: Partial<PathRule>): void => onRules(rules.with(at, { ...rule, ...part }))
  const others = rules.toSpliced(at, 1)
  const move = (step: 1 | -1): void => onRules(others.toSpliced(at + step, 0, rule))
  return (
    <tr>
      <td>
        <input
          className="field mono"
          aria-label={labels.glob(at + 1)}
          value={rule.glob}
          maxLength={1_024}
          spellCheck={false}
          onChange={(event) => change({ glob: event.target.value })}
        />
      </td>
      <td>
        <Pick
          label={labels.classOf(at + 1)}
          value={rule.class}
          options={PathClass.options}
          labels={labels.classes}
          onPick={(value) => change({ class: value })}
        />
      </td>
      <td>
        <Pick
          label={labels.actionOf(at + 1)}
          value={rule.action}
          options={ACTIONS}
          labels={labels.actions}
          onPick={(value) => change({ action: value })}
        />
      </td>
      <td className="rules-acts">
        <IconButton
          className="small"
          label={labels.up(at + 1)}
          disabled={at === 0}
          onClick={() => move(-1)}
          icon={ArrowUp}
        />
        <IconButton
          className="small"
          label={labels.down(at + 1)}
          disabled={at === others.length}
          onClick={() => move(1)}
          icon={ArrowDown}
        />
        <IconButton className="small" label={labels.remove(at + 1)} onClick={() => onRules(others)} icon={Trash2} />
      </td>
    </tr>
  )
}

interface PickProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: readonly Value[]
  readonly labels: Readonly<Record<Value, string>>
  readonly onPick: (value: Value) => void
}

function Pick<Value extends string>({ label, value, options, labels, onPick }: PickProps<Value>) {
  return (
    <select
      className="field"
      aria-label={label}
      value={value}
      onChange={(event) => onPick(event.target.value as Value)}
    >
      {options.map((each) => option(each, labels[each]))}
    </select>
  )
}
