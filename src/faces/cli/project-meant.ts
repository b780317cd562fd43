import { CarrelError } from '../../model/errors.ts'
import type { Change } from '../../model/history.ts'
import { ProjectId, RunId, SessionId } from '../../model/ids.ts'
import type { Project } from '../../model/tree.ts'
import type { Cli } from './cli.ts'
import type { Reached } from './reach.ts'
import { projectFor, spaceFor } from './whereabouts.ts'

/** A project, and what of it was named: one run or session of it. */
export interface Meant {
  readonly project: Project
  readonly of: { readonly run: string } | { readonly session: string } | null
}

export interface WhereOptions {
  readonly space?: string
  readonly project?: string
}

/** The project that a session, a run, a project or the current folder means. */
export async function projectMeant(
  cli: Cli,
  way: Reached,
  id: string | undefined,
  where: WhereOptions = {},
): Promise<Meant> {
  const { workspace } = cli
  if (id !== undefined && RunId.safeParse(id).success) {
    const { session } = await way.carrel.call('runs.get', { workspace, id })
    return { project: (await projectMeant(cli, way, session)).project, of: { run: id } }
  }
  if (id !== undefined && SessionId.safeParse(id).success) {
    const { project } = await way.carrel.call('sessions.get', { workspace, id })
    return { project: await projectFor(cli, way, { project }), of: { session: id } }
  }
  if (id !== undefined) return { project: await projectFor(cli, way, { project: id, space: where.space }), of: null }
  return { project: await projectHere(cli, way, where), of: null }
}

async function projectHere(cli: Cli, way: Reached, { space, project }: WhereOptions): Promise<Project> {
  if (project !== undefined && ProjectId.safeParse(project).success) return await projectFor(cli, way, { project })
  const { id, name } = await spaceFor(cli, way, space, { create: false })
  if (project !== undefined) return await projectFor(cli, way, { project, space: id })
  const { projects } = await way.carrel.call('projects.list', { workspace: cli.workspace, space: id })
  const direct = projects.find(({ place }) => place.kind === 'direct') ?? projects[0]
  if (direct) return direct
  throw new CarrelError('not_found', `The Space ${name} has no project. \`carrel projects create\` makes one.`)
}

/** Whose a change is, in a word or two. */
export function authorWords(author: Change['author'], name: (id: string) => string): string {
  if (author.kind === 'run') return name(author.session)
  if (author.kind === 'act') return `${author.by.name} (undo or restore)`
  return author.kind === 'outside' ? 'outside' : 'one of several sessions'
}

/** What came and went again is not there: it is deleted. */
export function changeWord(change: Pick<Change, 'before' | 'after'>): string {
  if (change.after === null) return 'deleted'
  return change.before === null ? 'new' : 'changed'
}
