import { mkdir, realpath, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { branchOf, checkFolder, folderState } from '../../host/folders.ts'
import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
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

export const listWorkspaces: Op<'workspaces.list'> = async (ctx, caller) => {
  const all = await ctx.store.tree.workspaces()
  return { workspaces: all.filter((workspace) => mayEnter(caller, workspace.id)) }
}

export const createWorkspace: Op<'workspaces.create'> = async (ctx, caller, input) => {
  if (!mayEnter(caller, input.id))
    throw new CarrelError('forbidden', 'This token belongs to other workspaces and may not make new ones.')
  const workspace: Workspace = { id: input.id, name: input.name ?? input.id, createdAt: ctx.now(), archivedAt: null }
  return await ctx.store.tree.createWorkspace(workspace, ctx.now())
}

/** `seq` is read first: what changes while the rest is read comes again down the stream, and the last row wins. */
export const getWorkspace: Op<'workspaces.get'> = async (ctx, caller, input) => {
  const workspace = await enter(ctx, caller, input.workspace)
  const { tree, people } = ctx.store
  const seq = await tree.workspaceHead(workspace.id)
  const newest =
    input.sessions === 0 ? { rows: [] } : await tree.sessions(workspace.id, {}, { cursor: null, limit: input.sessions })
  const open = await people.interactions(workspace.id, { state: 'open' }, { cursor: null, limit: 500 })
  const spaces = await lookAtFolders(ctx, await tree.spaces(workspace.id))
  const projects = await tree.projects(workspace.id)
  const rules = await people.rules(workspace.id)
  return { seq, workspace, spaces, projects, sessions: [...newest.rows], interactions: [...open.rows], rules }
}

export const renameWorkspace: Op<'workspaces.rename'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await ctx.store.tree.updateWorkspace(input.workspace, { name: input.name }, ctx.now())
}

export const archiveWorkspace: Op<'workspaces.archive'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await ctx.store.tree.updateWorkspace(
    input.workspace,
    { archivedAt: input.archived ? ctx.now() : null },
    ctx.now(),
  )
}

export const deleteWorkspace: Op<'workspaces.delete'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  if (input.workspace === 'default')
    throw new CarrelError('forbidden', 'The default workspace stays. Delete its Spaces instead.')
  return await removeBranch(
    ctx,
    input.workspace,
    { workspace: true },
    input.confirm,
    await ctx.store.tree.spaces(input.workspace),
  )
}

export const listSpaces: Op<'spaces.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const spaces = await lookAtFolders(ctx, await ctx.store.tree.spaces(input.workspace))
  return { spaces: spaces.filter((space) => input.archived || space.archivedAt === null) }
}

export const createSpace: Op<'spaces.create'> = async (ctx, caller, input) => {
  const { id: workspace } = await enter(ctx, caller, input.workspace)
  const id = ctx.id('space') as SpaceId
  const now = ctx.now()
  const { real, key, kind } = await folderFor(ctx, workspace, id, input.folder)
  const space: Space = {
    id,
    workspace,
    name: input.name ?? (kind === 'blank' ? 'Blank space' : basename(real)),
    kind,
    folder: real,
    state: 'present',
    createdAt: now,
    archivedAt: null,
  }
  const made = await ctx.store.tree.createSpace(space, key, now)
  const project = await ctx.store.tree.createProject(projectRow(ctx, made, 'Main'), now)
  return { space: made, project }
}

/** The one place where a folder becomes a Space's: every way in goes through the same rules. */
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
  const taken = await ctx.store.tree.folders()
  const rules = { home: ctx.home, dataFolder: ctx.config.dataFolder }
  const own = taken.filter((each) => each.workspace === workspace).map((each) => each.folder)
  const checked = await checkFolder(folder, { ...rules, others: own })
  const foreign = taken.filter((each) => each.workspace !== workspace).map((each) => each.folder)
  await checkFolder(folder, { ...rules, others: foreign }).catch((thrown) => {
    // Which folder another workspace has is none of this one's business (B1).
    throw new CarrelError(
      'bad_input',
      `${checked.real}, or a folder in it or around it, is not free for a Space. Choose another folder.`,
      undefined,
      thrown,
    )
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
  const [space = found] = await lookAtFolders(ctx, [found])
  const projects = await ctx.store.tree.projects(input.workspace, input.id)
  return { space, projects, branch: space.state === 'present' ? await branchOf(space.folder) : null }
}

export const renameSpace: Op<'spaces.rename'> = async (ctx, caller, input) => {
  await spaceIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateSpace(input.workspace, input.id, { name: input.name }, ctx.now())
}

export const archiveSpace: Op<'spaces.archive'> = async (ctx, caller, input) => {
  await spaceIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateSpace(
    input.workspace,
    input.id,
    { archivedAt: input.archived ? ctx.now() : null },
    ctx.now(),
  )
}

export const deleteSpace: Op<'spaces.delete'> = async (ctx, caller, input) => {
  const space = await spaceIn(ctx, caller, input.workspace, input.id)
  return await removeBranch(ctx, input.workspace, { space: input.id }, input.confirm, [space])
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
  return await ctx.store.tree.updateProject(
    input.workspace,
    input.id,
    { archivedAt: input.archived ? ctx.now() : null },
    ctx.now(),
  )
}

export const deleteProject: Op<'projects.delete'> = async (ctx, caller, input) => {
  await projectIn(ctx, caller, input.workspace, input.id)
  return await removeBranch(ctx, input.workspace, { project: input.id }, input.confirm, [])
}

export const listSessions: Op<'sessions.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const { space, project, state, text, archived } = input
  const page = await ctx.store.tree.sessions(
    input.workspace,
    { space, project, state, text, archived },
    { cursor: input.cursor ?? null, limit: input.limit },
  )
  return { sessions: [...page.rows], cursor: page.cursor }
}

export const createSession: Op<'sessions.create'> = async (ctx, caller, input) => {
  const project = await projectIn(ctx, caller, input.workspace, input.project)
  const agent = input.agent ?? (await ctx.agents.defaultAgent())
  if (!ctx.agents.known(agent)) await ctx.agents.resolve(agent)
  return await ctx.store.tree.createSession(sessionRow(ctx, project, agent, input.name ?? null), ctx.now())
}

function sessionRow(
  ctx: Context,
  project: Pick<Project, 'workspace' | 'space' | 'id'>,
  agent: string,
  name: string | null,
): Session {
  const now = ctx.now()
  return {
    id: ctx.id('session') as SessionId,
    workspace: project.workspace,
    space: project.space,
    project: project.id,
    name: name ?? 'New session',
    namedBy: name === null ? 'default' : 'person',
    agent,
    state: 'idle',
    questions: 0,
    queued: 0,
    head: 0,
    lastRun: null,
    changed: 0,
    forkedFrom: null,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    archivedAt: null,
  }
}

export const getSession: Op<'sessions.get'> = (ctx, caller, input) => sessionIn(ctx, caller, input.workspace, input.id)

export const renameSession: Op<'sessions.rename'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  return await ctx.store.tree.updateSession(
    input.workspace,
    input.id,
    { name: input.name, namedBy: 'person' },
    ctx.now(),
  )
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
  return await ctx.store.tree.updateSession(
    input.workspace,
    input.id,
    { archivedAt: input.archived ? ctx.now() : null },
    ctx.now(),
  )
}

export const deleteSession: Op<'sessions.delete'> = async (ctx, caller, input) => {
  await sessionIn(ctx, caller, input.workspace, input.id)
  return await removeBranch(ctx, input.workspace, { session: input.id }, input.confirm, [])
}

/** A folder that went away is a state of its Space, written down when it is seen, and never repaired in silence. */
async function lookAtFolders(ctx: Context, spaces: readonly Space[]): Promise<Space[]> {
  const look = async (space: Space) => {
    const state = await folderState(space.folder)
    if (state === space.state) return space
    return await ctx.store.tree.updateSpace(space.workspace, space.id, { state }, ctx.now())
  }
  return await Promise.all(spaces.map(look))
}

/** What a project has in a place of its own is nowhere else: it is taken away by its own verb, which keeps it first. */
async function checkPlaces(ctx: Context, workspace: WorkspaceId, what: Branch): Promise<void> {
  if ('session' in what) return
  const all = await ctx.store.tree.projects(workspace, 'space' in what ? what.space : undefined)
  const own = all.filter(({ id, place }) => place.kind !== 'direct' && (!('project' in what) || id === what.project))
  const there = own.find(({ place }) => place.state === 'ready' || place.state === 'making')
  if (!there) return
  throw new CarrelError(
    'forbidden',
    `${there.name} has files of its own at ${there.place.path}. Take its place away first: \`carrel copies remove ${there.id}\`.`,
    { project: there.id },
  )
}

/** Says what would go, or takes it. Only folders that Carrel made go from the disk, after their rows. */
async function removeBranch(
  ctx: Context,
  workspace: WorkspaceId,
  what: Branch,
  confirm: boolean,
  spaces: readonly Space[],
): Promise<{ deleted: boolean; preview: DeletePreview }> {
  const own = spaces.filter((space) => space.kind === 'blank').map((space) => space.folder)
  const homes = await ctx.homes.within(workspace, what)
  const folders = [...own, ...homes.map(ctx.homes.pathOf)]
  if (confirm) await checkPlaces(ctx, workspace, what)
  if (!confirm) return { deleted: false, preview: { ...(await ctx.store.tree.preview(workspace, what)), folders } }
  const preview = await ctx.store.tree.remove(workspace, what, ctx.now())
  // Agents let go of what they remember of sessions that are gone.
  for (const session of ctx.pool.sessions(workspace)) {
    if (!(await ctx.store.tree.session(workspace, session as SessionId))) await ctx.pool.forget(session)
  }
  ctx.homes.remove(homes)
  for (const folder of own) await rm(folder, { recursive: true, force: true })
  return { deleted: true, preview: { ...preview, folders } }
}
