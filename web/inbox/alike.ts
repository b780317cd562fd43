import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import { fingerprint, type Interaction } from '../../src/model/interaction.ts'

/** Identical open questions, oldest first, at least two. */
export type Alike = readonly [Interaction, Interaction, ...Interaction[]]

/**
 * Returns identical questions by the id of the oldest: the same act in the same folder with the same answers. The same
 * command in another folder is another act. Forms are never identical: their values are written for one question.
 */
export function alikeOf(open: readonly Interaction[], workspace: WorkspaceView): Map<string, Alike> {
  const byKey = Map.groupBy(
    open.filter(({ question }) => question.kind !== 'form' && question.options.length > 0),
    (each) => keyOf(each, placeOf(workspace, each)),
  )
  const found = new Map<string, Alike>()
  for (const [first, second, ...rest] of byKey.values())
    if (first && second) found.set(first.id, [first, second, ...rest])
  return found
}

/** Returns the folder that the session of a question works in. */
export function placeOf(workspace: WorkspaceView, { session, space }: Interaction): string {
  const project = workspace.sessions[session]?.project ?? ''
  return workspace.projects[project]?.place.path ?? workspace.spaces[space]?.folder ?? ''
}

function keyOf({ agent, question }: Interaction, place: string): string {
  const { title, body, options } = question
  const offered = options.map(({ kind, label }) => [kind, label])
  return JSON.stringify([fingerprint(agent, question), place, title, body, offered])
}
