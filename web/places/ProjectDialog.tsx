import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Output } from '../../src/api/index.ts'
import type { PlaceKind } from '../../src/model/tree.ts'
import { useSpaceDetail } from '../data/queries.ts'
import { say } from '../data/toasts.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { onSend } from '../ui/form.ts'
import { Problem } from '../ui/Problem.tsx'
import { PlaceKinds } from './PlaceKinds.tsx'
import { commandWords, NO_OPTIONS, PlaceOptionFields, type PlaceOptions } from './PlaceOptionFields.tsx'
import '../ui/dialogs.css'
import './places.css'

export type Drivers = Output<'places.drivers'>['drivers']

interface Props {
  readonly space: string
  readonly name: string
  readonly onClose: () => void
}

export function ProjectDialog({ space, name, onClose }: Props) {
  return (
    <Dialog title={texts.places.create.title(name)} onClose={onClose} className="wide plan-like">
      <ProjectForm space={space} onClose={onClose} />
    </Dialog>
  )
}

/** The form for a new project: its name and its working copy. */
export function ProjectForm({ space, onClose }: Omit<Props, 'name'>) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [name, setName] = useState('')
  const [kind, setKind] = useState<PlaceKind>('direct')
  const [options, setOptions] = useState(NO_OPTIONS)
  const drivers = useQuery({ queryKey: ['drivers'], queryFn: () => page.call('places.drivers', {}) })
  const git = useSpaceDetail(space).data?.branch ?? null
  const labels = texts.places
  const make = useSubmit(async () => {
    const made = await page.call('projects.create', {
      workspace,
      space,
      name: name.trim(),
      place: kind,
      ...optionsFor(kind, options),
    })
    if (made.place.state === 'making') say(labels.create.makingNow(made.name))
    onClose()
  })
  return (
    <form className="stack" onSubmit={onSend(() => name.trim() && make.run())}>
      <label className="form-field">
        <span>{labels.create.name}</span>
        <input
          className="field"
          value={name}
          maxLength={200}
          // biome-ignore lint/a11y/noAutofocus: the dialog was opened in order to write in it
          autoFocus
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <PlaceKinds kind={kind} onKind={setKind} drivers={drivers.data?.drivers} git={git !== null} />
      {kind !== 'direct' && (
        <PlaceOptionFields kind={kind} options={options} onOptions={setOptions} drivers={drivers.data?.drivers ?? []} />
      )}
      <Problem error={make.problem} />
      <div className="actions">
        <Button label={texts.ui.cancel} onClick={onClose} />
        <Button className="primary" type="submit" disabled={make.pending || !name.trim()}>
          {make.pending ? labels.create.making : labels.create.make}
        </Button>
      </div>
    </form>
  )
}

function optionsFor(kind: PlaceKind, { branch, start, include, setup, driver }: PlaceOptions) {
  if (kind === 'direct') return {}
  const lines = include.split('\n').flatMap((line) => line.trim() || [])
  const command = commandWords(setup)
  return {
    ...(lines.length > 0 && { include: lines }),
    ...(command.length > 0 && { setup: command }),
    ...(kind === 'worktree' && branch.trim() && { branch: branch.trim() }),
    ...(kind === 'worktree' && start.trim() && { start: start.trim() }),
    ...(kind === 'overlay' && driver && { driver }),
  }
}
