import { GitBranch, Layers } from 'lucide-react'
import type { Project } from '../../src/model/tree.ts'
import { texts } from '../texts/texts.ts'

/** Where a project's files are when it has a place of its own: kind, driver, branch, and what is wrong with it. */
export function PlaceChip({ project: { place } }: { project: Project }) {
  const { kind, driver, branch, state, note } = place
  const words = texts.places
  const Mark = kind === 'worktree' ? GitBranch : Layers
  const full = words.chip(words.kinds[kind].label, driver, branch)
  return (
    <span className="branch" title={[full, note].filter(Boolean).join('\n')}>
      <Mark className="glyph" aria-hidden />
      {state !== 'removed' && <span className="cut">{branch ?? driver ?? words.kinds[kind].label}</span>}
      {state !== 'ready' && (
        <span className={state === 'making' ? 'faint' : 'place-missing'} role="status">
          {words.states[state]}
        </span>
      )}
    </span>
  )
}
