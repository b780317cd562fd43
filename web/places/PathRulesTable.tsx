import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import { PathClass, type PathRule } from '../../src/model/conflicts.ts'
import { texts } from '../texts/texts.ts'

interface Props {
  readonly rules: readonly PathRule[]
  readonly onRules: (rules: PathRule[]) => void
}

const ACTIONS = ['allow', 'confirm', 'block'] as const

/** The rules in the order they are tried. */
export function PathRulesTable({ rules, onRules }: Props) {
  const words = texts.places.rules
  const set = (at: number, change: Partial<PathRule>): void =>
    onRules(rules.map((rule, each) => (each === at ? { ...rule, ...change } : rule)))
  const move = (at: number, step: 1 | -1): void => {
    const next = [...rules]
    const [rule] = next.splice(at, 1)
    next.splice(at + step, 0, rule!)
    onRules(next)
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div className="rules-scroll scroll" tabIndex={0}>
        <table className="rules-table">
          <thead>
            <tr>
              <th scope="col">{words.columns.glob}</th>
              <th scope="col">{words.columns.class}</th>
              <th scope="col">{words.columns.action}</th>
              <th scope="col">
                <span className="hidden">{words.columns.acts}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: its place is what a rule is
              <tr key={at}>
                <td>
                  <input
                    className="field mono"
                    aria-label={words.glob(at + 1)}
                    value={rule.glob}
                    maxLength={1_024}
                    spellCheck={false}
                    onChange={(event) => set(at, { glob: event.target.value })}
                  />
                </td>
                <td>
                  <Pick
                    label={words.classOf(at + 1)}
                    value={rule.class}
                    options={PathClass.options}
                    words={words.classes}
                    onPick={(value) => set(at, { class: value })}
                  />
                </td>
                <td>
                  <Pick
                    label={words.actionOf(at + 1)}
                    value={rule.action}
                    options={ACTIONS}
                    words={words.actions}
                    onPick={(value) => set(at, { action: value })}
                  />
                </td>
                <td className="rules-acts">
                  <Move label={words.up(at + 1)} off={at === 0} onMove={() => move(at, -1)} icon={ArrowUp} />
                  <Move
                    label={words.down(at + 1)}
                    off={at === rules.length - 1}
                    onMove={() => move(at, 1)}
                    icon={ArrowDown}
                  />
                  <Move
                    label={words.remove(at + 1)}
                    off={false}
                    onMove={() => onRules(rules.filter((_, each) => each !== at))}
                    icon={Trash2}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <button
        type="button"
        className="btn rules-add"
        onClick={() => onRules([...rules, { glob: '', class: 'work', action: 'confirm' }])}
      >
        <Plus aria-hidden />
        {words.add}
      </button>
    </>
  )
}

interface PickProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: readonly Value[]
  readonly words: Readonly<Record<Value, string>>
  readonly onPick: (value: Value) => void
}

function Pick<Value extends string>({ label, value, options, words, onPick }: PickProps<Value>) {
  return (
    <select
      className="field"
      aria-label={label}
      value={value}
      onChange={(event) => onPick(event.target.value as Value)}
    >
      {options.map((each) => (
        <option key={each} value={each}>
          {words[each]}
        </option>
      ))}
    </select>
  )
}

interface MoveProps {
  readonly label: string
  readonly off: boolean
  readonly onMove: () => void
  readonly icon: typeof ArrowUp
}

function Move({ label, off, onMove, icon: Icon }: MoveProps) {
  return (
    <button
      type="button"
      className="btn quiet icon small"
      aria-label={label}
      title={label}
      disabled={off}
      onClick={onMove}
    >
      <Icon aria-hidden />
    </button>
  )
}
