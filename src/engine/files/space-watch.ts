import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { folderState } from '../../host/folders.ts'
import type { Space } from '../../model/tree.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { FilesContext } from './file-rooms.ts'

/** How often a machine looks at the folders of its Spaces. ms. */
const LOOK_MS = 2_000

/**
 * Looks at the folders of this machine's Spaces and stores their states, which no other machine may. Resolves once the
 * Spaces that no machine has, and that belong here, are taken.
 */
export async function watchSpaces(ctx: FilesContext): Promise<{ stop(): Promise<void> }> {
  const warn = (thrown: unknown) => ctx.log.warn('The folders of the Spaces could not be looked at.', thrown)
  await takeUnclaimed(ctx).catch(warn)
  let looking = Promise.resolve()
  const look = async () => {
    await takeUnclaimed(ctx)
    for (const space of await ctx.store.machines.spaces(ctx.machines.here.id)) {
      const state = await ctx.projectPlaces.standing(space)
      if (state !== space.state) await ctx.store.tree.updateSpace(space.workspace, space.id, { state }, ctx.now())
    }
  }
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    looking = look()
      .catch(warn)
      .finally(() => {
        busy = false
      })
  }, LOOK_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await looking
    },
  }
}

/**
 * Takes Spaces of a time before machines: those whose folder is here together with its history. Others wait for a
 * person, since a folder of the same name may hold something else.
 */
async function takeUnclaimed(ctx: FilesContext): Promise<void> {
  const { store, machines, now } = ctx
  const unclaimed = await store.machines.spaces(null)
  for (const space of unclaimed) {
    if ((await folderState(space.folder)) !== 'present' || !(await isKnownHere(ctx, space))) continue
    await store.machines.give(space.id, { from: null, to: machines.here.id }, now())
  }
}

/** Whether this data folder has files of a Space: a history of its folder, or the folder itself. */
export async function isKnownHere(ctx: Pick<FilesContext, 'config' | 'history'>, space: Space): Promise<boolean> {
  const own = join(ctx.config.dataFolder, 'spaces', space.id)
  if (space.kind === 'blank' && space.folder === (await absentAsNull(realpath(own)))) return true
  const usage = await (await ctx.history()).usage()
  return usage.some(({ labels, snapshots }) => labels.space === space.id && snapshots > 0)
}
