import { type OperationName, operations, type Parsed } from '../../api/index.ts'
import type { ProjectId, RunId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Caller, Space } from '../../model/tree.ts'
import { enter, projectIn, runIn, sessionIn, spaceIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import { spacesOfPorts } from './ports.ts'

/** Fields of inputs that name a Space, or something in one. */
interface Named {
  readonly workspace: WorkspaceId
  readonly space?: SpaceId | null
  readonly project?: ProjectId | null
  readonly session?: SessionId | null
  readonly id?: string
  readonly preview?: string
}

/**
 * Refuses an operation that needs the machine of a Space, where another machine has the Space (N2). The caller is
 * authorized first, so that nothing of another workspace shows (B1). @throws unavailable, with the name of the machine
 */
export async function refuseElsewhere<N extends OperationName>(
  ctx: Context,
  caller: Caller,
  name: N,
  input: Parsed<N>,
): Promise<void> {
  if (operations[name].at !== 'machine' || ctx.machines.alone) return
  await ctx.machines.refuseElsewhere(await spacesOf(ctx, caller, name, input as Named))
}

/** Returns the Spaces that an answer needs: the named one, or without a name all of the workspace. */
async function spacesOf(ctx: Context, caller: Caller, name: OperationName, input: Named): Promise<Space[]> {
  const { workspace, project, session, id } = input
  const inSpace = async (space: SpaceId) => [await spaceIn(ctx, caller, workspace, space)]
  if (project) return await inSpace((await projectIn(ctx, caller, workspace, project)).space)
  if (input.space) return await inSpace(input.space)
  if (session) return await inSpace((await sessionIn(ctx, caller, workspace, session)).space)
  if (id?.startsWith('spc_')) return await inSpace(id as SpaceId)
  if (id?.startsWith('prj_')) return await inSpace((await projectIn(ctx, caller, workspace, id as ProjectId)).space)
  if (id?.startsWith('run_')) {
    const run = await runIn(ctx, caller, workspace, id as RunId)
    return await inSpace((await sessionIn(ctx, caller, workspace, run.session)).space)
  }
  if (id?.startsWith('ses_')) return await inSpace((await sessionIn(ctx, caller, workspace, id as SessionId)).space)
  await enter(ctx, caller, workspace)
  const spaces = await ctx.store.tree.spaces(workspace)
  return name.startsWith('ports.') ? await spacesOfPorts(ctx, spaces, input) : spaces
}

/** Refuses to show the browser of a run elsewhere, which no operation does. @throws as `refuseElsewhere` */
export async function refuseRunElsewhere(ctx: Context, caller: Caller, input: Named): Promise<void> {
  if (!ctx.machines.alone) await ctx.machines.refuseElsewhere(await spacesOf(ctx, caller, 'runs.get', input))
}
