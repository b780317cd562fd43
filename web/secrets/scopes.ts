import type { WorkspaceView } from '../../src/model/events/workspace-log.ts'
import { texts } from '../texts/texts.ts'

/** The scope of a setting: a Space, a project, or with neither the whole workspace. */
export interface ScopeRef {
  readonly space: string | null
  readonly project: string | null
}

export function scopeName(workspace: WorkspaceView, { space, project }: ScopeRef): string {
  if (project !== null) {
    const row = workspace.projects[project]
    return row ? texts.secrets.project(row.name, workspace.spaces[row.space]?.name ?? '') : texts.secrets.gone
  }
  if (space === null) return texts.secrets.everywhere
  const row = workspace.spaces[space]
  return row ? texts.secrets.space(row.name) : texts.secrets.gone
}

/** Returns all scopes: the workspace, each Space, each project. Archived ones are not listed. */
export function scopesOf(workspace: WorkspaceView): ScopeRef[] {
  const live = <T extends { archivedAt: number | null }>(rows: Readonly<Record<string, T>>) =>
    Object.values(rows).filter(({ archivedAt }) => archivedAt === null)
  return [
    { space: null, project: null },
    ...live(workspace.spaces).map(({ id }) => ({ space: id, project: null })),
    ...live(workspace.projects).map(({ id }) => ({ space: null, project: id })),
  ]
}

/** Returns the key of a scope: the id of its project or Space, empty for the workspace. */
export const scopeKey = ({ space, project }: ScopeRef): string => project ?? space ?? ''

/** Returns the scope with a key. An unknown key is the whole workspace. */
export const scopeAt = (workspace: WorkspaceView, key: string): ScopeRef =>
  scopesOf(workspace).find((each) => scopeKey(each) === key) ?? { space: null, project: null }

/** Returns the scope as the fields of a request. */
export const scopeInput = ({ space, project }: ScopeRef) => ({
  ...(space !== null && { space }),
  ...(project !== null && { project }),
})
