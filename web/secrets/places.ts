import type { WorkspaceView } from '../../src/model/workspace-log.ts'
import { texts } from '../texts/texts.ts'

export interface SecretScope {
  readonly space: string | null
  readonly project: string | null
}

/** Where a secret holds, in words. */
export function placeName(workspace: WorkspaceView, { space, project }: SecretScope): string {
  if (project !== null) {
    const row = workspace.projects[project]
    return row ? texts.secrets.project(row.name, workspace.spaces[row.space]?.name ?? '') : texts.secrets.gone
  }
  if (space === null) return texts.secrets.everywhere
  const row = workspace.spaces[space]
  return row ? texts.secrets.space(row.name) : texts.secrets.gone
}

/** Where a secret may hold: everywhere, in each Space, in each project. */
export function placesOf(workspace: WorkspaceView): SecretScope[] {
  const live = <T extends { archivedAt: number | null }>(rows: Readonly<Record<string, T>>) =>
    Object.values(rows).filter(({ archivedAt }) => archivedAt === null)
  return [
    { space: null, project: null },
    ...live(workspace.spaces).map(({ id }) => ({ space: id, project: null })),
    ...live(workspace.projects).map(({ id }) => ({ space: null, project: id })),
  ]
}

export const placeKey = ({ space, project }: SecretScope): string => project ?? space ?? ''
