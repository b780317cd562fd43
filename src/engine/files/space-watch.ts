import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { folderState } from '../../host/folders.ts'
import type { Space } from '../../model/tree.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { createLazy } from '../../primitives/lazy.ts'
import type { FilesContext } from './file-rooms.ts'

/** How often a machine looks at the folders of its Spaces. ms. */
const LOOK_MS = 2_000

/**
 * Looks at the folders of this machine's Spaces and stores their states, which no other machine may. Resolves once the
 * Spaces that no machine has, and that belong here, are taken.
 */
export async function watchSpaces(ctx: FilesContext): Promise<{ stop(): Promise<void> }> {
  const warn = (thrown: unknown) => ctx.log.warn('The folders of the Spaces could not be looked at.', thrown)
  // Read once: no history of a Space begins here before this machine has the Space.
  const histories = createLazy(() => spacesWithHistory(ctx))
  const takeUnclaimed = () => takeOwn(ctx, histories.get)
  await takeUnclaimed().catch(warn)
  let looking = Promise.resolve()
  const look = async () => {
    await takeUnclaimed()
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
async function takeOwn(ctx: FilesContext, histories: () => Promise<ReadonlySet<string>>): Promise<void> {
  const { store, machines, now } = ctx
  const unclaimed = await store.machines.spaces(null)
  for (const space of unclaimed) {
    if ((await folderState(space.folder)) !== 'present') continue
    if (!(await isOwnBlank(ctx, space)) && !(await histories()).has(space.id)) continue
    await store.machines.give(space.id, { from: null, to: machines.here.id }, now())
  }
}

/** Whether this data folder has files of a Space: a history of its folder, or the folder itself. */
export async function isKnownHere(ctx: Pick<FilesContext, 'config' | 'history'>, space: Space): Promise<boolean> {
  return (await isOwnBlank(ctx, space)) || (await spacesWithHistory(ctx)).has(space.id)
}

async function isOwnBlank({ config }: Pick<FilesContext, 'config'>, { kind, folder, id }: Space): Promise<boolean> {
  return kind === 'blank' && folder === (await absentAsNull(realpath(join(config.dataFolder, 'spaces', id))))
}

async function spacesWithHistory({ history }: Pick<FilesContext, 'history'>): Promise<ReadonlySet<string>> {
  const usage = await (await history()).usage()
  return new Set(usage.filter(({ snapshots }) => snapshots > 0).map(({ labels }) => labels.space))
}
