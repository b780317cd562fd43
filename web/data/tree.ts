import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Interaction } from '../../src/model/interaction.ts'
import type { Project, Session, Space } from '../../src/model/tree.ts'

export interface SpaceBranch {
  readonly space: Space
  readonly projects: readonly { readonly project: Project; readonly sessions: readonly Session[] }[]
}

/** Returns the tree of the sidebar: oldest Spaces and projects first, newest sessions first, without archived ones. */
export function treeOf(workspace: WorkspaceView): SpaceBranch[] {
  const shown = <T extends { archivedAt: number | null }>(rows: Readonly<Record<string, T>>): T[] =>
    Object.values(rows).filter(({ archivedAt }) => archivedAt === null)
  const projects = shown(workspace.projects)
  const sessions = shown(workspace.sessions)
  return shown(workspace.spaces)
    .sort(byBirth)
    .map((space) => ({
      space,
      projects: projects
        .filter((project) => project.space === space.id)
        .sort(byBirth)
        .map((project) => ({
          project,
          sessions: sessions.filter((session) => session.project === project.id).sort((a, b) => byBirth(b, a)),
        })),
    }))
}

const byBirth = (a: { createdAt: number; id: string }, b: { createdAt: number; id: string }): number =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)

/** Returns the open questions, oldest first. */
export function inboxOf(workspace: WorkspaceView): Interaction[] {
  return Object.values(workspace.interactions).sort((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1))
}
