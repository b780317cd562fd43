import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { asCarrelError } from '../../src/model/errors.ts'
import { usePage, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { placeKey, placeName, placesOf } from '../secrets/places.ts'
import { texts } from '../texts/texts.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import { EffectiveTable } from './EffectiveTable.tsx'
import { EnvironmentForm } from './EnvironmentForm.tsx'
import '../shell/dialogs.css'
import './environment.css'

interface Props {
  /** The Space that is shown first; without it the whole workspace. */
  readonly space?: string | undefined
  readonly onClose: () => void
}

/** What runs are given, by scope. */
export function EnvironmentDialog({ space, onClose }: Props) {
  const page = usePage()
  const view = useWorkspace()
  const workspace = useWorkspaceId()
  const id = useId()
  const [where, setWhere] = useState(space ?? '')
  const [saved, setSaved] = useState(false)
  const places = placesOf(view)
  const scope = places.find((each) => placeKey(each) === where) ?? { space: null, project: null }
  const words = texts.environment
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['environment', workspace, where],
    queryFn: () =>
      page.call('environment.get', {
        workspace,
        ...(scope.space && { space: scope.space }),
        ...(scope.project && { project: scope.project }),
      }),
    refetchOnMount: 'always',
  })
  return (
    <Dialog title={words.title} open onClose={onClose} className="wide plan-like">
      <p className="dim">{words.text}</p>
      <div className="form-field">
        <label htmlFor={id}>{words.where}</label>
        <select
          id={id}
          className="field"
          value={where}
          onChange={(event) => {
            setSaved(false)
            setWhere(event.target.value)
          }}
        >
          {places.map((place) => (
            <option key={placeKey(place)} value={placeKey(place)}>
              {placeName(view, place)}
            </option>
          ))}
        </select>
      </div>
      {error && <Problem error={asCarrelError(error)} />}
      {isPending && <p className="faint">{texts.ui.loading}</p>}
      {data && (
        <>
          <EnvironmentForm
            key={`${where} ${JSON.stringify(data.own)}`}
            scope={scope}
            own={data.own}
            onSaved={() => {
              setSaved(true)
              void refetch()
            }}
          />
          <p role="status">{saved ? words.saved : ''}</p>
          <EffectiveTable effective={data.effective} />
        </>
      )}
      <div className="actions">
        <button type="button" className="btn" onClick={onClose}>
          {texts.ui.close}
        </button>
      </div>
    </Dialog>
  )
}
