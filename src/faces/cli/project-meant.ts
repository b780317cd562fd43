import { CarrelError } from '../../model/errors.ts'
import type { Change } from '../../model/files/history.ts'
import { ProjectId, RunId, SessionId } from '../../model/ids.ts'
import type { Project } from '../../model/tree.ts'
import { nameOf } from '../../model/who-words.ts'
import type { OpenCli } from './cli.ts'
import { projectFor, type ScopeOptions, spaceFor } from './whereabouts.ts'

export interface ProjectTarget {
  readonly project: Project
  readonly of: { readonly run: string } | { readonly session: string } | null
}

/** Finds the project of a run id, session id, project or the current folder. */
export async function projectTarget(
  cli: OpenCli,
  id: string | undefined,
  where: ScopeOptions = {},
): Promise<ProjectTarget> {
  const { carrel, workspace } = cli
  if (id !== undefined && RunId.safeParse(id).success) {
    const { session } = await carrel.call('runs.get', { workspace, id })
    return { project: (await projectTarget(cli, session)).project, of: { run: id } }
  }
  if (id !== undefined && SessionId.safeParse(id).success) {
    const { project } = await carrel.call('sessions.get', { workspace, id })
    return { project: await projectFor(cli, { project }), of: { session: id } }
  }
  if (id !== undefined) return { project: await projectFor(cli, { project: id, space: where.space }), of: null }
  return { project: await projectHere(cli, where), of: null }
}

async function projectHere(cli: OpenCli, { space, project }: ScopeOptions): Promise<Project> {
  if (project !== undefined && ProjectId.safeParse(project).success) return await projectFor(cli, { project })
  const { id, name } = await spaceFor(cli, space, { create: false })
  if (project !== undefined) return await projectFor(cli, { project, space: id })
  const { projects } = await cli.carrel.call('projects.list', { workspace: cli.workspace, space: id })
  const direct = projects.find(({ place }) => place.kind === 'direct') ?? projects[0]
  if (direct) return direct
  throw new CarrelError('not_found', `The Space ${name} has no project. Create one with \`carrel projects create\`.`)
}

export function authorWords(author: Change['author'], name: (id: string) => string): string {
  if (author.kind === 'run') return name(author.session)
  if (author.kind === 'act') return `${nameOf(author.by)} (undo or restore)`
  if (author.kind === 'outside') return 'outside Carrel'
  return author.among.length === 1 ? 'the run or somebody else' : `one of ${author.among.length} runs`
}

/** Describes a change. A path that was created and removed again counts as deleted. */
export function changeWord(change: Pick<Change, 'before' | 'after'>): string {
  if (change.after === null) return 'deleted'
  return change.before === null ? 'new' : 'changed'
}
