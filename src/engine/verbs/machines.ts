import { checkFolder, folderState } from '../../host/folders.ts'
import { CarrelError } from '../../model/errors.ts'
import { awaySince } from '../../model/machine.ts'
import type { Space } from '../../model/tree.ts'
import { spaceIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import { isKnownHere } from '../files/space-watch.ts'
import type { Op } from '../op.ts'
import { allRows } from '../pages.ts'

export const listMachines: Op<'machines.list'> = async ({ machines, config, now }) => ({
  machines: (await machines.list()).map((machine) => {
    const here = machine.id === machines.here.id
    return { ...machine, here, away: here ? null : awaySince(machine, now(), config.leaseTtlMs) }
  }),
})

export const adoptSpace: Op<'spaces.adopt'> = async (ctx, caller, input) => {
  const space = await spaceIn(ctx, caller, input.workspace, input.id)
  if (ctx.machines.has(space)) return { adopted: true, space, missing: [] }
  await checkHere(ctx, space)
  const missing = await missingHere(ctx, space)
  if (!input.confirm) return { adopted: false, space, missing }
  const move = { from: space.machine, to: ctx.machines.here.id }
  const adopted = await ctx.store.machines.give(space.id, move, ctx.now())
  if (adopted) return { adopted: true, space: adopted, missing }
  throw new CarrelError('busy', `Another machine has just adopted the Space ${space.name}. Look again, then decide.`)
}

/**
 * Holds the folder to the rules of a new Space. The folder may be missing where no machine can have it: a person then
 * brings it, or deletes the Space. @throws unavailable without the folder of another machine, bad_input
 */
async function checkHere({ store, machines, config, home }: Context, space: Space): Promise<void> {
  if ((await folderState(space.folder)) !== 'present') {
    const { machine, since } = await machines.waits(space.machine)
    if (machine === null || since !== null) return
    const message = `The folder ${space.folder} does not exist on this machine (${machines.here.name}). Bring it here first, then adopt the Space.`
    throw new CarrelError('unavailable', message, { folder: space.folder })
  }
  if (space.kind === 'blank') return
  const others = (await store.tree.folders(machines.here.id)).filter((each) => each.space !== space.id)
  const rules = { home, dataFolder: config.dataFolder, others: others.map(({ folder }) => folder) }
  const { real } = await checkFolder(space.folder, rules)
  if (real === space.folder) return
  throw new CarrelError(
    'bad_input',
    `${space.folder} leads to ${real} on this machine. A Space keeps its folder for good.`,
  )
}

/** Lists what stays on the other machine, for the person who decides. */
async function missingHere(ctx: Context, space: Space): Promise<string[]> {
  const { machine } = await ctx.machines.waits(space.machine)
  const from = machine === null ? '' : ` of ${machine}`
  const isMissing = (await folderState(space.folder)) !== 'present'
  return [
    ...(isMissing ? [`Its folder ${space.folder}: its runs fail until you bring it here.`] : []),
    ...(await missingWork(ctx, space)),
    (await isKnownHere(ctx, space))
      ? `Snapshots${from} that this machine has not taken itself: undo and restore reach back to its own ones only.`
      : 'The history of its files: earlier work can no longer be undone or restored.',
    'Homes and conversations of its agents: an agent gets the transcript of a session as text.',
    ...(await missingPlaces(ctx, space)),
    ...(await missingSecrets(ctx, space)),
  ]
}

async function missingWork({ store }: Context, { workspace, id }: Space): Promise<string[]> {
  let live = 0
  for await (const run of allRows((page) => store.log.runs(workspace, { live: true }, page)))
    if ((await store.tree.session(workspace, run.session))?.space === id) live += 1
  return live === 0 ? [] : [`${live === 1 ? 'One run that has' : `${live} runs that have`} not ended: lost.`]
}

async function missingPlaces({ store }: Context, { workspace, id }: Space): Promise<string[]> {
  const projects = await store.tree.projects(workspace, id)
  const lines: string[] = []
  for (const { name, place } of projects) {
    if (place.kind === 'direct' || place.state !== 'ready') continue
    if ((await folderState(place.path)) !== 'present') lines.push(`The working copy of ${name} at ${place.path}.`)
  }
  const keys = new Set([`space:${id}`, ...projects.map((project) => `project:${project.id}`)])
  const ports = (await store.ports.of(workspace, null)).filter(({ place }) => keys.has(place))
  if (ports.length > 0)
    lines.push(`Programs at its ports ${ports.map(({ name, port }) => `${port} (${name})`).join(', ')}.`)
  return lines
}

async function missingSecrets({ vault }: Context, { workspace, id }: Space): Promise<string[]> {
  const unreadable = (await vault.list(workspace)).filter(
    (secret) => !secret.readable && (secret.space === null || secret.space === id),
  )
  if (unreadable.length === 0) return []
  return [`The key of its secrets ${unreadable.map(({ name }) => name).join(', ')}: set them again, or bring the key.`]
}
