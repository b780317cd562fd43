import { GitBranch, Layers } from 'lucide-react'
import type { Project } from '../../src/model/tree.ts'
import { texts } from '../texts/texts.ts'

/** The working copy of a project: kind, driver, branch and a failed state. */
export function PlaceChip({ project: { place } }: { project: Project }) {
  const { kind, driver, branch, state, note } = place
  const labels = texts.places
  const Mark = kind === 'worktree' ? GitBranch : Layers
  const full = labels.chip(labels.kinds[kind].label, driver, branch)
  return (
    <span className="branch" title={[full, note].filter(Boolean).join('\n')}>
      <Mark className="glyph" aria-hidden />
      {state !== 'removed' && <span className="cut">{branch ?? driver ?? labels.kinds[kind].label}</span>}
      {state !== 'ready' && (
        <span className={state === 'making' ? 'faint' : 'place-missing'} role="status">
          {labels.states[state]}
        </span>
      )}
    </span>
  )
}
