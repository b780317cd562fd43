import type { PlaceKind } from '../../src/model/tree.ts'
import { texts } from '../texts/texts.ts'
import type { Drivers } from './ProjectDialog.tsx'

export interface PlaceOptions {
  readonly branch: string
  readonly start: string
  readonly include: string
  readonly setup: string
  /** Empty for the best driver of this machine. */
  readonly driver: string
}

export const NO_OPTIONS: PlaceOptions = { branch: '', start: '', include: '', setup: '', driver: '' }

/** Splits a command line into the program and its arguments. Quotes keep words together. No shell is involved. */
export const commandWords = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '')

interface Props {
  readonly kind: Exclude<PlaceKind, 'direct'>
  readonly options: PlaceOptions
  readonly onOptions: (options: PlaceOptions) => void
  readonly drivers: Drivers
}

/** The options of a new working copy. All of them are optional. */
export function PlaceOptionFields({ kind, options, onOptions, drivers }: Props) {
  const labels = texts.places.create
  const set = (change: Partial<PlaceOptions>): void => onOptions({ ...options, ...change })
  return (
    <div className="stack">
      {kind === 'worktree' ? (
        <div className="place-pair">
          <Line
            label={labels.branch}
            note={labels.branchNote}
            value={options.branch}
            onChange={(branch) => set({ branch })}
          />
          <Line
            label={labels.start}
            note={labels.startNote}
            value={options.start}
            onChange={(start) => set({ start })}
          />
        </div>
      ) : (
        <DriverList drivers={drivers} chosen={options.driver} onChoose={(driver) => set({ driver })} />
      )}
      {kind === 'worktree' && (
        <label className="form-field">
          <span>{labels.include}</span>
          <span className="form-note">{labels.includeNote}</span>
          <textarea
            className="field mono"
            rows={2}
            value={options.include}
            spellCheck={false}
            onChange={(event) => set({ include: event.target.value })}
          />
        </label>
      )}
      <Line label={labels.setup} note={labels.setupNote} value={options.setup} onChange={(setup) => set({ setup })} />
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

/** The drivers of this machine, best first, with the reason why others are not usable. */
function DriverList({
  drivers,
  chosen,
  onChoose,
}: {
  drivers: Drivers
  chosen: string
  onChoose: (name: string) => void
}) {
  const labels = texts.places.create
  const best = drivers.find(({ usable }) => usable)?.name ?? ''
  return (
    <fieldset className="place-drivers">
      <legend>{labels.driver}</legend>
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
            {!usable && <span className="faint">{` (${labels.lacks})`}</span>}
            <span className="setting-note">{detail}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
