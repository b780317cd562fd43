import { CarrelError } from '../model/errors.ts'
import type { ProjectId, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import type { Caller, Project, Session, Space, Who, Workspace } from '../model/tree.ts'
import type { Context } from './context.ts'

/** Who did it, as it stands in a log. */
export const whoOf = ({ name, kind, face }: Caller): Who => ({ name, kind, face })

const noWorkspace = (id: string) =>
  new CarrelError('not_found', `There is no workspace ${id}. \`carrel workspaces list\` shows those there are.`, {
    workspace: id,
  })

/** Lets a caller into a workspace, or says that there is none: what is another's does not exist (B1). */
export async function enter(ctx: Context, caller: Caller, id: WorkspaceId): Promise<Workspace> {
  if (!mayEnter(caller, id)) throw noWorkspace(id)
  const workspace = await ctx.store.tree.workspace(id)
  if (!workspace) throw noWorkspace(id)
  return workspace
}

export const mayEnter = (caller: Caller, id: string): boolean =>
  caller.workspaces === null || caller.workspaces.includes(id)

/** Lets a caller to a session. One read, since a session that is in the workspace proves that there is one. */
export async function sessionIn(ctx: Context, caller: Caller, workspace: WorkspaceId, id: SessionId): Promise<Session> {
  const session = mayEnter(caller, workspace) ? await ctx.store.tree.session(workspace, id) : null
  if (session) return session
  await enter(ctx, caller, workspace)
  throw new CarrelError(
    'not_found',
    `There is no session ${id} in this workspace. \`carrel sessions list\` shows those there are.`,
    { id },
  )
}

/** Lets a caller to a Space. */
export async function spaceIn(ctx: Context, caller: Caller, workspace: WorkspaceId, id: SpaceId): Promise<Space> {
  await enter(ctx, caller, workspace)
  const space = await ctx.store.tree.space(workspace, id)
  if (!space)
    throw new CarrelError(
      'not_found',
      `There is no Space ${id} in this workspace. \`carrel spaces list\` shows those there are.`,
      { id },
    )
  return space
}

/** Lets a caller to a project. */
export async function projectIn(ctx: Context, caller: Caller, workspace: WorkspaceId, id: ProjectId): Promise<Project> {
  await enter(ctx, caller, workspace)
  const project = await ctx.store.tree.project(workspace, id)
  if (!project)
    throw new CarrelError(
      'not_found',
      `There is no project ${id} in this workspace. \`carrel projects list\` shows those there are.`,
      { id },
    )
  return project
}

/** Agents may look, but nobody answers a question on the other side of the same wire: people, programs of theirs and rules do (I4). */
export function mayAnswer(caller: Caller): void {
  if (caller.face === 'mcp')
    throw new CarrelError(
      'forbidden',
      'An agent may not answer questions that agents asked people. Answer on the page, or with `carrel answer`.',
    )
}

/** Looks again when an answer is about to have its effect, maybe long after it was given (I4). */
export async function mayTakeEffect(ctx: Context, workspace: WorkspaceId): Promise<void> {
  const there = await ctx.store.tree.workspace(workspace)
  if (!there || there.archivedAt !== null)
    throw new CarrelError(
      'forbidden',
      `The workspace ${workspace} was archived or deleted since the answer was given; nothing was done.`,
    )
}
