import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Output } from '../../src/api/index.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { CopyButton } from '../ui/CopyButton.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'
import '../ui/dialogs.css'
import './places.css'

type Removal = Output<'places.remove'>

/** Shows what the removal of a working copy would lose, confirms once, and shows how to restore it. */
export function RemovePlace({ project, name, onClose }: { project: string; name: string; onClose: () => void }) {
  return (
    <Dialog title={texts.places.remove.title(name)} onClose={onClose} className="wide">
      <Removing project={project} onClose={onClose} />
    </Dialog>
  )
}

export function Removing({ project, onClose }: { project: string; onClose: () => void }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const [removed, setRemoved] = useState<Removal | null>(null)
  const preview = useQuery({
    queryKey: ['remove-place', workspace, project],
    queryFn: async () => ({
      risks: await page.call('places.previewRemoval', { workspace, project }),
      loss: await page.call('places.remove', { workspace, project, confirm: false }),
    }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
  const remove = useSubmit(async () =>
    setRemoved(await page.call('places.remove', { workspace, project, confirm: true })),
  )
  const labels = texts.places.remove
  const underway = preview.data?.risks.underway ?? null
  return (
    <>
      {preview.isPending && <p className="dim">{labels.looking}</p>}
      <Problem error={preview.error} />
      {removed ? <Removed removed={removed} /> : preview.data && <Loss {...preview.data} />}
      <Problem error={remove.problem} />
      <div className="actions">
        <Button label={removed ? texts.ui.done : labels.keep} onClick={onClose} />
        {!removed && (
          <Button
            label={remove.pending ? labels.acting : labels.act}
            className="danger"
            disabled={!preview.data || underway !== null || remove.pending}
            onClick={() => remove.run()}
          />
        )}
      </div>
    </>
  )
}

function Loss({ risks, loss }: { risks: Output<'places.previewRemoval'>; loss: Removal }) {
  const labels = texts.places.remove
  const sums = [
    risks.changed.length > 0 && labels.changed(risks.changed.length),
    risks.unpushed > 0 && labels.unpushed(risks.unpushed),
  ].filter((each) => each !== false)
  return (
    <div className="stack">
      <p>
        {labels.where} <code>{risks.path}</code>
      </p>
      {loss.lost.length === 0 && sums.length === 0 ? (
        <p>{labels.none}</p>
      ) : (
        <Listed title={`${labels.lost} ${sums.join(', ')}`} lines={loss.lost} />
      )}
      {loss.kept.length > 0 && <Listed title={labels.kept} lines={loss.kept} />}
      {risks.underway !== null && <p className="place-missing">{labels.underway(risks.underway)}</p>}
      {loss.restore && <Restore command={loss.restore} />}
      <p className="dim">{labels.stays}</p>
    </div>
  )
}

function Listed({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <section className="stack-s">
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <ul className="place-lines scroll mono" tabIndex={0} aria-label={title}>
        {lines.map((line) => (
          <li key={line}>
            <bdi>{line.toWellFormed()}</bdi>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Removed({ removed }: { removed: Removal }) {
  return (
    <div className="stack" role="status">
      <p>{texts.places.remove.done}</p>
      {removed.restore && <Restore command={removed.restore} />}
    </div>
  )
}

function Restore({ command }: { command: string }) {
  const labels = texts.places.remove
  return (
    <section className="stack-s">
      <h3>{labels.restore}</h3>
      <div className="command">
        <code>{command}</code>
        <CopyButton text={() => command} label={labels.copy} />
      </div>
    </section>
  )
}
