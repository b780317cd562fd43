import { CarrelError } from '../model/errors.ts'
import type { ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import type { Caller, Project, Run, Session, Space, Who, Workspace } from '../model/tree.ts'
import type { Basics } from './basics.ts'

type TreeContext = { readonly store: Pick<Basics['store'], 'tree'> }
type RunContext = { readonly store: Pick<Basics['store'], 'tree' | 'log'> }

/** Returns the part of a caller that logs record. */
export const whoOf = ({ name, kind, face }: Caller): Who => ({ name, kind, face })

export const noWorkspace = (id: string) =>
  new CarrelError('not_found', `There is no workspace ${id}. \`carrel workspaces list\` lists them.`, {
    workspace: id,
  })

/** Returns a workspace that the caller may enter. Workspaces of others do not exist for the caller (B1). @throws not_found */
export async function enter(ctx: TreeContext, caller: Caller, id: WorkspaceId): Promise<Workspace> {
  if (!mayEnter(caller, id)) throw noWorkspace(id)
  const workspace = await ctx.store.tree.workspace(id)
  if (!workspace) throw noWorkspace(id)
  return workspace
}

export const mayEnter = (caller: Caller, id: string): boolean =>
  caller.workspaces === null || caller.workspaces.includes(id)

/** Returns a session that the caller may enter. One read: the session proves that its workspace exists. @throws not_found */
export async function sessionIn(
  ctx: TreeContext,
  caller: Caller,
  workspace: WorkspaceId,
  id: SessionId,
): Promise<Session> {
  const session = mayEnter(caller, workspace) ? await ctx.store.tree.session(workspace, id) : null
  if (session) return session
  await enter(ctx, caller, workspace)
  const message = `There is no session ${id} in this workspace. \`carrel sessions list\` lists them.`
  throw new CarrelError('not_found', message, { id })
}

/** Returns a Space that the caller may enter. @throws not_found */
export async function spaceIn(ctx: TreeContext, caller: Caller, workspace: WorkspaceId, id: SpaceId): Promise<Space> {
  await enter(ctx, caller, workspace)
  const space = await ctx.store.tree.space(workspace, id)
  if (!space) {
    const message = `There is no Space ${id} in this workspace. \`carrel spaces list\` lists them.`
    throw new CarrelError('not_found', message, { id })
  }
  return space
}

/** Returns a project that the caller may enter. @throws not_found */
export async function projectIn(
  ctx: TreeContext,
  caller: Caller,
  workspace: WorkspaceId,
  id: ProjectId,
): Promise<Project> {
  await enter(ctx, caller, workspace)
  const project = await ctx.store.tree.project(workspace, id)
  if (!project) {
    const message = `There is no project ${id} in this workspace. \`carrel projects list\` lists them.`
    throw new CarrelError('not_found', message, { id })
  }
  return project
}

/** Returns a run that the caller may see. @throws not_found */
export async function runIn(ctx: RunContext, caller: Caller, workspace: WorkspaceId, id: RunId): Promise<Run> {
  await enter(ctx, caller, workspace)
  const run = await ctx.store.log.run(workspace, id)
  if (!run) throw new CarrelError('not_found', `There is no run ${id} in this workspace.`, { id })
  return run
}

/** Refuses agents: questions are answered by people, their programs and rules, never by the side that asks (I4). @throws forbidden */
export function mayAnswer(caller: Caller): void {
  if (caller.face === 'mcp')
    throw new CarrelError(
      'forbidden',
      'An agent may not answer questions that agents asked people. Answer on the page, or with `carrel answer`.',
    )
}

/** Checks the workspace again when an answer takes effect, maybe long after it was given (I4). @throws forbidden */
export async function mayTakeEffect(ctx: TreeContext, workspace: WorkspaceId): Promise<void> {
  const there = await ctx.store.tree.workspace(workspace)
  if (!there || there.archivedAt !== null)
    throw new CarrelError(
      'forbidden',
      `The workspace ${workspace} was archived or deleted since the answer was given; nothing was done.`,
    )
}
