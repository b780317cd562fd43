import type { PlaceKind } from '../../src/model/tree.ts'
import { texts } from '../texts/texts.ts'
import type { Drivers } from './ProjectDialog.tsx'

export interface Wishes {
  readonly branch: string
  readonly start: string
  readonly include: string
  readonly setup: string
  /** Empty: the best of this machine. */
  readonly driver: string
}

export const NO_WISHES: Wishes = { branch: '', start: '', include: '', setup: '', driver: '' }

/** A command line as the program and its arguments; quotes keep words together. There is no shell. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '')

interface Props {
  readonly kind: Exclude<PlaceKind, 'direct'>
  readonly wishes: Wishes
  readonly onWishes: (wishes: Wishes) => void
  readonly drivers: Drivers
}

/** What can be wished of a place that is made. All of it may be left out. */
export function PlaceWishes({ kind, wishes, onWishes, drivers }: Props) {
  const words = texts.places.create
  const set = (change: Partial<Wishes>): void => onWishes({ ...wishes, ...change })
  return (
    <div className="stack">
      {kind === 'worktree' ? (
        <div className="place-pair">
          <Line
            label={words.branch}
            note={words.branchNote}
            value={wishes.branch}
            onChange={(branch) => set({ branch })}
          />
          <Line label={words.start} note={words.startNote} value={wishes.start} onChange={(start) => set({ start })} />
        </div>
      ) : (
        <DriverList drivers={drivers} chosen={wishes.driver} onChoose={(driver) => set({ driver })} />
      )}
      {kind === 'worktree' && (
        <label className="form-field">
          <span>{words.include}</span>
          <span className="form-note">{words.includeNote}</span>
          <textarea
            className="field mono"
            rows={2}
            value={wishes.include}
            spellCheck={false}
            onChange={(event) => set({ include: event.target.value })}
          />
        </label>
      )}
      <Line label={words.setup} note={words.setupNote} value={wishes.setup} onChange={(setup) => set({ setup })} />
    </div>
  )
}

interface LineProps {
  readonly label: string
  readonly note: string
  readonly value: string
  readonly onChange: (value: string) => void
}

function Line({ label, note, value, onChange }: LineProps) {
  return (
    <label className="form-field">
      <span>{label}</span>
      <span className="form-note">{note}</span>
      <input
        className="field mono"
        value={value}
        maxLength={8_000}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

/** The ways of this machine, best first, and what it lacks for the others. */
function DriverList({
  drivers,
  chosen,
  onChoose,
}: {
  drivers: Drivers
  chosen: string
  onChoose: (name: string) => void
}) {
  const words = texts.places.create
  const best = drivers.find(({ usable }) => usable)?.name ?? ''
  return (
    <fieldset className="place-drivers">
      <legend>{words.driver}</legend>
      {drivers.map(({ name, usable, detail }) => (
        <label key={name} className="setting" data-disabled={!usable || undefined}>
          <input
            type="radio"
            name="driver"
            disabled={!usable}
            checked={(chosen || best) === name}
            onChange={() => onChoose(name)}
          />
          <span>
            {name}
            {!usable && <span className="faint">{` (${words.lacks})`}</span>}
            <span className="setting-note">{detail}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
