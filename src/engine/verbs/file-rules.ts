import { classify, type FileRules } from '../../model/files/conflicts.ts'
import { DEFAULT_FILE_RULES } from '../../model/files/file-rules.ts'
import { globMatches } from '../../model/glob.ts'
import type { SpaceId, WorkspaceId } from '../../model/ids.ts'
import { spaceIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

export const getFileRules: Op<'fileRules.get'> = async (ctx, caller, input) => {
  await spaceIn(ctx, caller, input.workspace, input.id)
  const rules = await ctx.projectPlaces.rules(input.workspace, input.id)
  const changed = (await ctx.store.tree.fileRules(input.workspace, input.id)) !== null
  return { rules, defaults: DEFAULT_FILE_RULES, changed }
}

export const setFileRules: Op<'fileRules.set'> = async (ctx, caller, input) => {
  await spaceIn(ctx, caller, input.workspace, input.id)
  const before = (await ctx.store.tree.fileRules(input.workspace, input.id)) as Partial<FileRules> | null
  const rules = input.rules === null ? null : { ...before, ...input.rules }
  await ctx.store.tree.setFileRules(input.workspace, input.id, rules)
  await followAgain(ctx, input.id)
  return { rules: await ctx.projectPlaces.rules(input.workspace, input.id) }
}

async function followAgain(ctx: Context, space: SpaceId): Promise<void> {
  for (const opened of ctx.projectPlaces.followed.values()) {
    if (opened.project.space === space) await ctx.projectPlaces.follow(opened, 'read')
  }
}

export const checkPath: Op<'fileRules.check'> = async (ctx, caller, input) => {
  const space = await spaceIn(ctx, caller, input.workspace, input.id)
  const rules = await ctx.projectPlaces.rules(input.workspace, input.id)
  const verdict = classify(input.path, rules.paths, globMatches)
  return {
    class: verdict.class,
    action: verdict.action,
    glob: verdict.glob,
    covered: await covers(ctx, space, input.path),
  }
}

async function covers(
  ctx: Context,
  { workspace, id }: { workspace: WorkspaceId; id: SpaceId },
  path: string,
): Promise<boolean> {
  const projects = await ctx.store.tree.projects(workspace, id)
  const direct = projects.find(({ place }) => place.kind === 'direct')
  if (!direct) return true
  const opened = await ctx.projectPlaces.open(direct)
  await ctx.projectPlaces.follow(opened, 'read')
  return (await (await ctx.history()).gapAt(opened.key, path)) === null
}
