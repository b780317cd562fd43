import { mkdir, realpath, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { branchOf, checkFolder } from '../../host/folders.ts'
import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Interaction } from '../../model/interaction.ts'
import {
  type DeletePreview,
  directPlace,
  type Project,
  type Session,
  type Space,
  type Workspace,
} from '../../model/tree.ts'
import type { Branch } from '../../store/store.ts'
import { enter, mayEnter, projectIn, sessionIn, spaceIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'
import { allRows } from '../pages.ts'

export const listWorkspaces: Op<'workspaces.list'> = async (ctx, caller) => {
  const all = await ctx.store.tree.workspaces()
  return { workspaces: all.filter((workspace) => mayEnter(caller, workspace.id)) }
}

export const createWorkspace: Op<'workspaces.create'> = async (ctx, caller, input) => {
  if (!mayEnter(caller, input.id))
    throw new CarrelError('forbidden', 'This token is for other workspaces and cannot create new ones.')
  const workspace: Workspace = { id: input.id, name: input.name ?? input.id, createdAt: ctx.now(), archivedAt: null }
  return await ctx.store.tree.createWorkspace(workspace, ctx.now())
}

/** Reads `seq` first: a change during the other reads comes again in the stream, and the newest row wins. */
export const getWorkspace: Op<'workspaces.get'> = async (ctx, caller, input) => {
  const workspace = await enter(ctx, caller, input.workspace)
  const { tree, people } = ctx.store
  const seq = await tree.workspaceHead(workspace.id)
  const newest =
    input.sessions === 0 ? { rows: [] } : await tree.sessions(workspace.id, {}, { cursor: null, limit: input.sessions })
  const interactions: Interaction[] = []
  for await (const each of allRows((page) => people.interactions(workspace.id, { state: 'open' }, page)))
    interactions.push(each)
  const spaces = await withFolderStates(ctx, await tree.spaces(workspace.id))
  const projects = await tree.projects(workspace.id)
  const rules = await people.rules(workspace.id)
  return {
    seq,
    workspace,
    spaces,
    projects,
    sessions: newest.rows.map((each) => withBackground(ctx, each)),
    interactions,
    rules,
  }
}

export const renameWorkspace: Op<'workspaces.rename'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await ctx.store.tree.updateWorkspace(input.workspace, { name: input.name }, ctx.now())
}

const archival = (ctx: Context, archived: boolean) => ({ archivedAt: archived ? ctx.now() : null })

export const archiveWorkspace: Op<'workspaces.archive'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await ctx.store.tree.updateWorkspace(input.workspace, archival(ctx, input.archived), ctx.now())
}

export const deleteWorkspace: Op<'workspaces.delete'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  if (input.workspace === 'default')
    throw new CarrelError('forbidden', 'The default workspace cannot be deleted. Delete its Spaces instead.')
  const spaces = await ctx.store.tree.spaces(input.workspace)
  return await removeBranch(ctx, input, { workspace: true }, spaces)
}

export const listSpaces: Op<'spaces.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const spaces = await withFolderStates(ctx, await ctx.store.tree.spaces(input.workspace))
  return { spaces: spaces.filter((space) => input.archived || space.archivedAt === null) }
}

export const createSpace: Op<'spaces.create'> = async (ctx, caller, input) => {
  const { id: workspace } = await enter(ctx, caller, input.workspace)
  const id = ctx.id('space') as SpaceId
  const now = ctx.now()
  const { real, key, kind } = await folderFor(ctx, workspace, id, input.folder)
  const name = input.name ?? (kind === 'blank' ? 'Blank space' : basename(real))
  const place = { kind, folder: real, state: 'present', machine: ctx.machines.here.id } as const
  const row = { id, workspace, name, ...place, createdAt: now, archivedAt: null }
  const made = await ctx.store.tree.createSpace(row, key, now)
  const project = await ctx.store.tree.createProject(projectRow(ctx, made, 'Main'), now)
  return { space: made, project }
}

/** Chooses and checks the folder of a new Space. Every Space comes through here, so the same rules hold for all. */
async function folderFor(
  ctx: Context,
  workspace: WorkspaceId,
  id: SpaceId,
  folder: string | undefined,
): Promise<{ real: string; key: string; kind: Space['kind'] }> {
  if (folder === undefined) {
    const own = join(ctx.config.dataFolder, 'spaces', id)
    await mkdir(own, { recursive: true, mode: 0o700 })
    const real = await realpath(own)
    return { real, key: real, kind: 'blank' }
  }
  const taken = await ctx.store.tree.folders(ctx.machines.here.id)
  const rules = { home: ctx.home, dataFolder: ctx.config.dataFolder }
  const own = taken.filter((each) => each.workspace === workspace).map((each) => each.folder)
  const checked = await checkFolder(folder, { ...rules, others: own })
  const foreign = taken.filter((each) => each.workspace !== workspace).map((each) => each.folder)
  await checkFolder(folder, { ...rules, others: foreign }).catch((thrown) => {
    // The message must not reveal the folder of another workspace (B1).
    const message = `${checked.real}, or a folder inside or above it, is not available for a Space. Choose another folder.`
    throw new CarrelError('bad_input', message, undefined, thrown)
  })
  return { ...checked, kind: 'folder' }
}

export const projectRow = (ctx: Context, space: Space, name: string): Project => ({
  id: ctx.id('project') as ProjectId,
  workspace: space.workspace,
  space: space.id,
  name,
  place: directPlace(space.folder),
  createdAt: ctx.now(),
  archivedAt: null,
})

export const getSpace: Op<'spaces.get'> = async (ctx, caller, input) => {
  const found = await spaceIn(ctx, caller, input.workspace, input.id)
  const [space = found] = await withFolderStates(ctx, [found])
  const projects = await ctx.store.tree.projects(input.workspace, input.id)
  return { space, projects, branch: space.state === 'present' ? await branchOf(space.folder) : null }
}

export const renameSpace: Op<'spaces.rename'> = async (ctx, caller, input) => {
  await spaceIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateSpace(input.workspace, input.id, { name: input.name }, ctx.now())
}

export const archiveSpace: Op<'spaces.archive'> = async (ctx, caller, input) => {
  await spaceIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateSpace(input.workspace, input.id, archival(ctx, input.archived), ctx.now())
}

export const deleteSpace: Op<'spaces.delete'> = async (ctx, caller, input) => {
  const space = await spaceIn(ctx, caller, input.workspace, input.id)
  return await removeBranch(ctx, input, { space: input.id }, [space])
}

export const listProjects: Op<'projects.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const projects = await ctx.store.tree.projects(input.workspace, input.space)
  return { projects: projects.filter((project) => input.archived || project.archivedAt === null) }
}

export const renameProject: Op<'projects.rename'> = async (ctx, caller, input) => {
  await projectIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateProject(input.workspace, input.id, { name: input.name }, ctx.now())
}

export const archiveProject: Op<'projects.archive'> = async (ctx, caller, input) => {
  await projectIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateProject(input.workspace, input.id, archival(ctx, input.archived), ctx.now())
}

export const deleteProject: Op<'projects.delete'> = async (ctx, caller, input) => {
  await projectIn(ctx, caller, input.workspace, input.id)
  return await removeBranch(ctx, input, { project: input.id }, [])
}

export const listSessions: Op<'sessions.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const { space, project, state, text, archived } = input
  const page = await ctx.store.tree.sessions(
    input.workspace,
    { space, project, state, text, archived },
    { cursor: input.cursor ?? null, limit: input.limit },
  )
  return { sessions: page.rows.map((session) => withBackground(ctx, session)), cursor: page.cursor }
}

export const createSession: Op<'sessions.create'> = async (ctx, caller, input) => {
  const project = await projectIn(ctx, caller, input.workspace, input.project)
  const agent = input.agent ?? (await ctx.agents.defaultAgent())
  if (!ctx.agents.known(agent)) {
    // Another machine may know other agents.
    const space = await spaceIn(ctx, caller, input.workspace, project.space)
    if (ctx.machines.has(space)) await ctx.agents.resolve(agent)
  }
  return await ctx.store.tree.createSession(sessionRow(ctx, project, agent, input.name ?? null), ctx.now())
}

function sessionRow(
  ctx: Context,
  project: Pick<Project, 'workspace' | 'space' | 'id'>,
  agent: string,
  name: string | null,
): Session {
  const now = ctx.now()
  const { workspace, space, id } = project
  const place = { id: ctx.id('session') as SessionId, workspace, space, project: id }
  const named = { name: name ?? 'New session', namedBy: name === null ? 'default' : 'person' } as const
  const rest = { state: 'idle', questions: 0, queued: 0, head: 0, lastRun: null, changed: 0, forkedFrom: null } as const
  return { ...place, ...named, agent, ...rest, createdAt: now, updatedAt: now, closedAt: null, archivedAt: null }
}

export const getSession: Op<'sessions.get'> = async (ctx, caller, input) =>
  withBackground(ctx, await sessionIn(ctx, caller, input.workspace, input.id))

/** Adds the work that the session's agents, in processes of this node, go on with between runs. */
function withBackground({ pool }: Pick<Context, 'pool'>, session: Session): Session {
  const background = pool.background(session.id)
  return background.length > 0 ? { ...session, background } : session
}

export const renameSession: Op<'sessions.rename'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  const change = { name: input.name, namedBy: 'person' } as const
  return await ctx.store.tree.updateSession(input.workspace, input.id, change, ctx.now())
}

export const forkSession: Op<'sessions.fork'> = async (ctx, caller, input) => {
  const from = await sessionIn(ctx, caller, input.workspace, input.id)
  const named = input.name ?? null
  const row = sessionRow(ctx, { workspace: from.workspace, space: from.space, id: from.project }, from.agent, named)
  const fork: Session = {
    ...row,
    name: named ?? `${from.name} (fork)`.slice(0, 200),
    namedBy: named === null ? 'generated' : 'person',
    forkedFrom: { session: from.id, seq: input.seq },
  }
  return await ctx.store.tree.forkSession(from.id, input.seq, fork, ctx.now())
}

export const archiveSession: Op<'sessions.archive'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateSession(input.workspace, input.id, archival(ctx, input.archived), ctx.now())
}

export const deleteSession: Op<'sessions.delete'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  return await removeBranch(ctx, input, { session: input.id }, [])
}

/**
 * Returns Spaces with the present state of their folders. Writes nothing. For a Space of another machine, returns what
 * that machine said last, while it is there.
 */
async function withFolderStates({ machines, projectPlaces }: Context, spaces: readonly Space[]): Promise<Space[]> {
  const others = new Set(spaces.filter((space) => !machines.has(space)).map(({ machine }) => machine))
  const waits = new Map(await Promise.all([...others].map(async (id) => [id, await machines.waits(id)] as const)))
  const look = async (space: Space): Promise<Space> => {
    const other = waits.get(space.machine)
    if (!other) return { ...space, state: await projectPlaces.standing(space) }
    return other.machine === null || other.since !== null ? { ...space, state: 'away' } : space
  }
  return await Promise.all(spaces.map(look))
}

/** Refuses to delete projects that have a working copy: `places.remove` saves its files first. @throws forbidden */
async function checkWorkingCopies(ctx: Context, workspace: WorkspaceId, branch: Branch): Promise<void> {
  if ('session' in branch) return
  const all = await ctx.store.tree.projects(workspace, 'space' in branch ? branch.space : undefined)
  const own = all.filter(
    ({ id, place }) => place.kind !== 'direct' && (!('project' in branch) || id === branch.project),
  )
  const there = own.find(({ place }) => place.state === 'ready' || place.state === 'making')
  if (!there) return
  const message = `${there.name} has a working copy at ${there.place.path}. Remove it first: \`carrel copies remove ${there.id}\`.`
  throw new CarrelError('forbidden', message, { project: there.id })
}

/** Previews or performs a deletion. Removes only folders that Carrel created, and only after their rows. */
async function removeBranch(
  ctx: Context,
  { workspace, confirm }: { readonly workspace: WorkspaceId; readonly confirm: boolean },
  branch: Branch,
  spaces: readonly Space[],
): Promise<{ deleted: boolean; preview: DeletePreview }> {
  const own = spaces.filter((space) => space.kind === 'blank').map((space) => space.folder)
  const homes = await ctx.homes.within(workspace, branch)
  const folders = [...own, ...homes.map(ctx.homes.pathOf)]
  if (confirm) await checkWorkingCopies(ctx, workspace, branch)
  if (!confirm) return { deleted: false, preview: { ...(await ctx.store.tree.preview(workspace, branch)), folders } }
  const preview = await ctx.store.tree.remove(workspace, branch, ctx.now())
  // Agents still have the conversations of deleted sessions open.
  for (const session of ctx.pool.sessions(workspace)) {
    if (!(await ctx.store.tree.session(workspace, session as SessionId))) await ctx.pool.forget(session)
  }
  ctx.homes.remove(homes)
  for (const folder of own) await rm(folder, { recursive: true, force: true })
  return { deleted: true, preview: { ...preview, folders } }
}
