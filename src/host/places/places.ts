import { lstat, mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { createLazy, type Lazy } from '../../primitives/lazy.ts'
import { createSerial, type Serial } from '../../primitives/serial.ts'
import { checkRoot, rootGone } from '../root-folder.ts'
import { sweepBases } from './bases.ts'
import { exportBranch } from './branch-export.ts'
import { type CommandHost, runCommand } from './command.ts'
import { chooseDriver, type Driver, probeDrivers } from './drivers.ts'
import { createGit, type Git, GitFailure } from './git.ts'
import { basesOf, createOverlays, type Overlays } from './overlay.ts'
import { type MakePlace, NOTHING_OUTSIDE, type Place, type PlaceRecord, type Places } from './place.ts'
import { readPlaceFiles, writePlaceFile } from './place-file.ts'
import { clearRemovals, removeFolder } from './removal.ts'
import { gitOf, makeWorktree, openWorktree, planWorktree } from './worktree.ts'
import { removeWorktree, worktreeRisks } from './worktree-removal.ts'

export interface PlacesOptions extends CommandHost {
  /** Carrel's data folder. Drivers are tested below it. */
  readonly dataFolder: string
  /** Whether leftovers may be cleared; by default they may. A paused data folder clears nothing. */
  readonly tidies?: () => boolean
}

const SETUP_MS = 30 * 60_000
const never = new AbortController().signal

/** State that the functions of this file share. */
interface Workshop {
  readonly options: PlacesOptions
  readonly git: Git
  readonly overlays: Overlays
  readonly parents: Map<string, Lazy<Parent>>
}

/**
 * Opens the places of this machine. Like their data folder, they belong to one process at a time. Leftovers of an
 * interrupted creation or removal are cleared when their parent folder is first used.
 */
export function openPlaces(options: PlacesOptions): Places {
  const workshop: Workshop = {
    options,
    git: createGit(options),
    overlays: createOverlays(options.path),
    parents: new Map(),
  }
  const { git, overlays } = workshop
  return {
    async drivers() {
      const { drivers } = await parentOf(workshop, join(options.dataFolder, 'places'))
      return drivers.map(({ name, usable, detail }) => ({ name, usable, detail }))
    },
    make: (ask) => makeIn(workshop, ask),
    open: (record) => open(workshop, record),
    async removalRisks(record) {
      if (record.kind === 'worktree') return await worktreeRisks(git, record)
      if (record.kind === 'overlay') return await overlays.removalRisks(record)
      return { missing: false, changed: [], unpushed: 0, underway: null }
    },
    remove: (record) => remove(workshop, record),
    exportBranch: (ask) => exportBranch(git, ask),
    close: () => overlays.close(),
  }
}

function parentOf(workshop: Workshop, path: string): Promise<Parent> {
  const { parents } = workshop
  const parent = parents.get(path) ?? createLazy(() => prepare(workshop, path))
  parents.set(path, parent)
  return parent.get()
}

async function prepare(workshop: Workshop, given: string): Promise<Parent> {
  await mkdir(given, { recursive: true, mode: 0o700 })
  // Views are found by their real path only.
  const path = await realpath(given)
  const { tidies = () => true } = workshop.options
  if (tidies()) await clearLeftovers(workshop, path)
  const drivers = await probeDrivers(path, workshop.options.path)
  const parent = { path, drivers, making: 0, sweeps: createSerial() }
  if (tidies()) await settle(parent)
  return parent
}

async function clearLeftovers(workshop: Workshop, parent: string): Promise<void> {
  await clearRemovals(parent)
  for (const { folder, file } of await readPlaceFiles(parent))
    if (!file.made && isBelow(file.record, parent)) await discard(workshop, file.record, folder)
}

/** Tells whether a record is about a place here. The records of a copied data folder are about places of the first. */
const isBelow = ({ path }: PlaceRecord, parent: string): boolean => path.startsWith(`${parent}/`)

/** Removes the parts of a place whose creation did not finish. */
async function discard({ git, overlays }: Workshop, record: PlaceRecord, folder: string): Promise<void> {
  if (record.kind === 'overlay') await overlays.release(record)
  else {
    await removeFolder(gitOf(record).top)
    await removeWorktree(git, record, never)
  }
  await removeFolder(folder)
}

async function makeIn(workshop: Workshop, ask: MakePlace): Promise<PlaceRecord> {
  await check(ask)
  const parent = await parentOf(workshop, ask.parent)
  await checkApart(ask, parent.path)
  await enter(parent)
  try {
    return await make(workshop, ask, parent)
  } catch (thrown) {
    throw thrown instanceof GitFailure ? new CarrelError('unavailable', gitReport(thrown), undefined, thrown) : thrown
  } finally {
    parent.making -= 1
    await settle(parent)
  }
}

async function make(workshop: Workshop, ask: MakePlace, parent: Parent): Promise<PlaceRecord> {
  const folder = join(parent.path, ask.id)
  const plan = await planOf(workshop, ask, folder, parent)
  await mkdir(folder, { mode: 0o700 })
  await writePlaceFile(folder, { made: false, record: plan.record })
  try {
    const record = await plan.make()
    await runSetup(workshop.options, ask, await open(workshop, record), folder)
    await writePlaceFile(folder, { made: true, record })
    return record
  } catch (thrown) {
    await discard(workshop, plan.record, folder)
    throw thrown
  }
}

async function planOf(
  { git, overlays }: Workshop,
  ask: MakePlace,
  folder: string,
  { drivers }: Parent,
): Promise<{ record: PlaceRecord; make: () => Promise<PlaceRecord> }> {
  if (ask.kind === 'worktree') {
    const record = await planWorktree(git, ask, folder)
    return { record, make: () => makeWorktree(git, ask, record) }
  }
  const driver = chooseDriver(drivers, ask.driver)
  const parts = { git: null, overlay: { folder, base: null, rights: null }, notes: [] }
  const record: PlaceRecord = { kind: 'overlay', path: folder, driver: driver.name, ...parts }
  return { record, make: () => overlays.make(ask, folder, driver) }
}

async function open({ git, overlays }: Workshop, record: PlaceRecord): Promise<Place> {
  if (record.kind === 'worktree') return await openWorktree(git, record)
  if (record.kind === 'overlay') return await overlays.open(record)
  return await openDirect(record)
}

async function remove(workshop: Workshop, record: PlaceRecord): Promise<{ kept: readonly string[] }> {
  const { git, overlays } = workshop
  if (record.kind === 'direct') return { kept: [`The folder ${record.path} stays, because the Space itself uses it.`] }
  if (record.kind === 'overlay') await overlays.release(record)
  const { kept } = record.kind === 'worktree' ? await removeWorktree(git, record, never) : { kept: [] }
  const folder = record.overlay?.folder ?? dirname(gitOf(record).top)
  await removeFolder(folder)
  await settle(await parentOf(workshop, dirname(folder)))
  return { kept }
}

/** Folder in which places are made. */
interface Parent {
  readonly path: string
  readonly drivers: readonly Driver[]
  making: number
  readonly sweeps: Serial
}

/** Removes frozen folders without a place, unless a place under construction may need them. */
function settle(parent: Parent): Promise<void> {
  return parent.sweeps.run(async () => {
    if (parent.making > 0) return
    const files = await readPlaceFiles(parent.path)
    // Records of another path name their bases by that path, so that those here would seem unused.
    if (!files.every(({ file }) => isBelow(file.record, parent.path))) return
    await sweepBases(basesOf(parent.path), new Set(files.flatMap(({ file }) => file.record.overlay?.base ?? [])))
  })
}

/** Begins to make a place once no sweep runs: a sweep could remove a base that is about to be used. */
async function enter(parent: Parent): Promise<void> {
  for (let seen: Promise<void> | null = null; seen !== parent.sweeps.idle(); ) {
    seen = parent.sweeps.idle()
    await seen
  }
  parent.making += 1
}

async function check(ask: MakePlace): Promise<void> {
  if (!/^\w[\w-]*$/.test(ask.id) || ask.id === 'bases')
    throw new CarrelError('bad_input', `${ask.id} cannot be the name of a place. Use letters, digits, _ and -.`)
  if (ask.kind === 'overlay' && (ask.branch !== null || ask.start !== null))
    throw new CarrelError('bad_input', 'An overlay has no branch. Omit branch and start, or make a worktree.')
  if (ask.kind === 'worktree' && ask.driver !== null)
    throw new CarrelError('bad_input', 'A worktree has no driver. Omit the driver, or make an overlay.')
  const found = await absentAsNull(lstat(ask.source))
  if (!found?.isDirectory()) throw rootGone(ask.source, found)
}

async function checkApart({ id, source }: MakePlace, parent: string): Promise<void> {
  if (await absentAsNull(lstat(join(parent, id))))
    throw new CarrelError('bad_input', `The place ${id} exists already. Open that one, or use another name.`)
  const real = await realpath(source)
  if (`${parent}${sep}`.startsWith(`${real}${sep}`))
    throw new CarrelError(
      'bad_input',
      `${source} contains the folder of all working copies. Choose a folder apart from ${parent}.`,
    )
}

async function openDirect({ path, kind }: PlaceRecord): Promise<Place> {
  checkRoot(path, null)
  const driver = 'the folder itself'
  return { kind, driver, path, root: path, enter: [], namespace: null, layer: null, outside: NOTHING_OUTSIDE }
}

/** Runs the set-up command. Its output is stored beside the place. @throws unavailable */
async function runSetup(machine: CommandHost, ask: MakePlace, place: Place, folder: string): Promise<void> {
  const [command, ...args] = ask.setup ?? []
  if (command === undefined) return
  ask.onProgress(`Running ${command}.`)
  const { env } = machine
  const call = { command, args, env, cwd: place.path, enter: place.enter, label: `set-up of ${ask.id}` }
  const ended = await runCommand(machine, { ...call, timeoutMs: SETUP_MS, signal: ask.signal, contained: true })
  await writeFile(join(folder, 'setup.log'), ended.output, { mode: 0o600 })
  if (ended.code === 0) return
  const how = ended.late ? 'took more than half an hour' : `ended with ${ended.code}`
  const output = ended.stderr.trim() || ended.output.trim()
  const text = `The set-up command ${command} ${how}, and the working copy was removed again. Its output: ${output.slice(-1_000) || 'none'}`
  throw new CarrelError('unavailable', text, { stderr: ended.stderr, output: ended.output.slice(-16_384) })
}

const gitReport = ({ message }: GitFailure): string =>
  `${message}. No part of the working copy is left. Check the repository, then try again.`
