import { type ComponentProps, type FormEvent, useId, useState } from 'react'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import { placeKey, placeName, placesOf } from './places.ts'

interface Props {
  readonly space: string | undefined
  readonly onStored: () => void
}

/** The value leaves the page as soon as it is stored. */
export function PutSecret({ space, onStored }: Props) {
  const page = usePage()
  const view = useWorkspace()
  const workspace = useWorkspaceId()
  const id = useId()
  const places = placesOf(view)
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const [where, setWhere] = useState(space ?? '')
  const [stored, setStored] = useState<string | null>(null)
  const submit = useSubmit(async () => {
    setStored(null)
    const place = places.find((each) => placeKey(each) === where)
    await page.call('secrets.put', {
      workspace,
      name,
      value,
      ...(place?.space && { space: place.space }),
      ...(place?.project && { project: place.project }),
    })
    setStored(name)
    setName('')
    setValue('')
    onStored()
  })
  const send = (event: FormEvent): void => {
    event.preventDefault()
    submit.run()
  }
  return (
    <form onSubmit={send} className="stack put-secret" aria-label={texts.secrets.put}>
      <Field
        label={texts.secrets.name}
        value={name}
        onValue={setName}
        placeholder={texts.secrets.nameHint}
        pattern="[A-Z_][A-Z0-9_]*"
        title={texts.secrets.nameWrong}
        autoComplete="off"
      />
      <Field label={texts.secrets.value} value={value} onValue={setValue} type="password" autoComplete="new-password" />
      <label htmlFor={`${id}-where`}>{texts.secrets.where}</label>
      <select id={`${id}-where`} className="field" value={where} onChange={(event) => setWhere(event.target.value)}>
        {places.map((place) => (
          <option key={placeKey(place)} value={placeKey(place)}>
            {placeName(view, place)}
          </option>
        ))}
      </select>
      <Problem error={submit.problem} />
      <p role="status">{stored === null ? '' : texts.secrets.stored(stored)}</p>
      <div className="actions">
        <button type="submit" className="btn primary" disabled={submit.pending}>
          {texts.secrets.store}
        </button>
      </div>
    </form>
  )
}

interface FieldProps extends ComponentProps<'input'> {
  readonly label: string
  readonly onValue: (value: string) => void
}

function Field({ label, onValue, ...more }: FieldProps) {
  const id = useId()
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <input {...more} id={id} className="field" required onChange={(event) => onValue(event.target.value)} />
    </>
  )
}
