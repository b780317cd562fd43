import { lstat, mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { createLazy, type Lazy } from '../../primitives/lazy.ts'
import { createSerial, type Serial } from '../../primitives/serial.ts'
import { sweepBases } from './bases.ts'
import { exportBranch } from './branch-export.ts'
import { type Machine, runCommand } from './command.ts'
import { chooseDriver, type Driver, probeDrivers } from './drivers.ts'
import { createGit, GitFailure } from './git.ts'
import { basesOf, createOverlays } from './overlay.ts'
import { type MakePlace, NOTHING_OUTSIDE, type Place, type PlaceRecord, type Places } from './place.ts'
import { readPlaceFiles, writePlaceFile } from './place-file.ts'
import { clearGoing, removeFolder } from './removal.ts'
import { gitOf, makeWorktree, openWorktree, planWorktree } from './worktree.ts'
import { removeWorktree, worktreeRisks } from './worktree-removal.ts'

export interface PlacesOptions extends Machine {
  /** Carrel's own. Drivers are tried below it. */
  readonly dataFolder: string
}

const SETUP_MS = 30 * 60_000
const never = new AbortController().signal

/**
 * The places of this machine. One process at a time may have them, like the data folder they are in. What an earlier
 * life began to make or to remove is cleared when its parent folder is first used.
 */
export function openPlaces(options: PlacesOptions): Places {
  const git = createGit(options)
  const overlays = createOverlays(options.path)
  const parents = new Map<string, Lazy<Parent>>()

  const parentOf = (path: string): Promise<Parent> => {
    const parent = parents.get(path) ?? createLazy(() => prepare(path))
    parents.set(path, parent)
    return parent.get()
  }

  const prepare = async (given: string): Promise<Parent> => {
    await mkdir(given, { recursive: true, mode: 0o700 })
    // Views are found by their real path only.
    const path = await realpath(given)
    await clearGoing(path)
    for (const { folder, file } of await readPlaceFiles(path)) if (!file.made) await takeBack(file.record, folder)
    const drivers = await probeDrivers(path, options.path)
    const parent = { path, drivers, making: 0, sweeps: createSerial() }
    await settle(parent)
    return parent
  }

  /** Takes away what there is of a place that was not made to its end. */
  const takeBack = async (record: PlaceRecord, folder: string) => {
    if (record.kind === 'overlay') await overlays.release(record)
    else {
      await removeFolder(gitOf(record).top)
      await removeWorktree(git, record, never)
    }
    await removeFolder(folder)
  }

  const make = async (ask: MakePlace, parent: Parent): Promise<PlaceRecord> => {
    const folder = join(parent.path, ask.id)
    const plan = await planOf(ask, folder, parent)
    await mkdir(folder, { mode: 0o700 })
    await writePlaceFile(folder, { made: false, record: plan.record })
    try {
      const record = await plan.make()
      await runSetup(options, ask, await open(record), folder)
      await writePlaceFile(folder, { made: true, record })
      return record
    } catch (thrown) {
      await takeBack(plan.record, folder)
      throw thrown
    }
  }

  const planOf = async (ask: MakePlace, folder: string, { drivers }: Parent) => {
    if (ask.kind === 'worktree') {
      const record = await planWorktree(git, ask, folder)
      return { record, make: () => makeWorktree(git, ask, record) }
    }
    const driver = chooseDriver(drivers, ask.driver)
    const parts = { git: null, overlay: { folder, base: null, rights: null }, notes: [] }
    const record: PlaceRecord = { kind: 'overlay', path: folder, driver: driver.name, ...parts }
    return { record, make: () => overlays.make(ask, folder, driver) }
  }

  const open: Places['open'] = async (record) => {
    if (record.kind === 'worktree') return await openWorktree(git, record)
    if (record.kind === 'overlay') return await overlays.open(record)
    return await openDirect(record)
  }

  return {
    async drivers() {
      return (await parentOf(join(options.dataFolder, 'places'))).drivers.map(({ name, usable, detail }) => ({
        name,
        usable,
        detail,
      }))
    },
    async make(ask) {
      await check(ask)
      const parent = await parentOf(ask.parent)
      await checkApart(ask, parent.path)
      await enter(parent)
      try {
        return await make(ask, parent)
      } catch (thrown) {
        throw thrown instanceof GitFailure ? new CarrelError('unavailable', gitSaid(thrown), undefined, thrown) : thrown
      } finally {
        parent.making -= 1
        await settle(parent)
      }
    },
    open,
    async risks(record) {
      if (record.kind === 'worktree') return await worktreeRisks(git, record)
      if (record.kind === 'overlay') return await overlays.risks(record)
      return { missing: false, changed: [], unpushed: 0, underway: null }
    },
    async remove(record) {
      if (record.kind === 'direct') return { kept: [`The folder ${record.path} stays: it is the Space's own.`] }
      if (record.kind === 'overlay') await overlays.release(record)
      const { kept } = record.kind === 'worktree' ? await removeWorktree(git, record, never) : { kept: [] }
      const folder = record.overlay?.folder ?? dirname(gitOf(record).top)
      await removeFolder(folder)
      await settle(await parentOf(dirname(folder)))
      return { kept }
    },
    exportBranch: (ask) => exportBranch(git, ask),
    close: overlays.close,
  }
}

/** A folder that places are made in. */
interface Parent {
  readonly path: string
  readonly drivers: readonly Driver[]
  making: number
  readonly sweeps: Serial
}

/** Sweeps the frozen folders that no place lies over any more, unless one that is just being made may want them. */
function settle(parent: Parent): Promise<void> {
  return parent.sweeps.run(async () => {
    if (parent.making > 0) return
    const files = await readPlaceFiles(parent.path)
    await sweepBases(basesOf(parent.path), new Set(files.flatMap(({ file }) => file.record.overlay?.base ?? [])))
  })
}

/** Begins making in a folder, once no sweep is under way there: it could take what is just about to be used. */
async function enter(parent: Parent): Promise<void> {
  for (let seen: Promise<void> | null = null; seen !== parent.sweeps.idle(); ) {
    seen = parent.sweeps.idle()
    await seen
  }
  parent.making += 1
}

async function check(ask: MakePlace): Promise<void> {
  if (!/^\w[\w-]*$/.test(ask.id) || ask.id === 'bases')
    throw new CarrelError('bad_input', `${ask.id} cannot be the name of a place. Take letters, digits, _ and -.`)
  if (ask.kind === 'overlay' && (ask.branch !== null || ask.start !== null))
    throw new CarrelError('bad_input', 'An overlay has no branch. Leave branch and start out, or make a worktree.')
  if (ask.kind === 'worktree' && ask.driver !== null)
    throw new CarrelError('bad_input', 'A worktree has no driver. Leave the driver out, or make an overlay.')
  const found = await absentAsNull(lstat(ask.source))
  if (!found) throw new CarrelError('gone', `There is no folder ${ask.source}. Bring it back, then make the project.`)
}

async function checkApart({ id, source }: MakePlace, parent: string): Promise<void> {
  if (await absentAsNull(lstat(join(parent, id))))
    throw new CarrelError('bad_input', `There is a place ${id} already. Open that one, or take another name.`)
  const real = await realpath(source)
  if (`${parent}${sep}`.startsWith(`${real}${sep}`))
    throw new CarrelError(
      'bad_input',
      `${source} holds the folder of all places. Choose a folder apart from ${parent}.`,
    )
}

async function openDirect({ path, kind }: PlaceRecord): Promise<Place> {
  const found = await absentAsNull(lstat(path))
  if (!found?.isDirectory())
    throw new CarrelError(
      'gone',
      `The folder ${path} is not there. Bring it back, or make a Space for where it is now.`,
    )
  return {
    kind,
    driver: 'the folder itself',
    path,
    root: path,
    enter: [],
    namespace: null,
    layer: null,
    outside: NOTHING_OUTSIDE,
  }
}

/** Runs the set-up command in the new place. What it printed stands beside the place. @throws unavailable */
async function runSetup(machine: Machine, ask: MakePlace, place: Place, folder: string): Promise<void> {
  const [command, ...args] = ask.setup ?? []
  if (command === undefined) return
  ask.onProgress(`Running ${command}.`)
  const { env } = machine
  const call = { command, args, env, cwd: place.path, enter: place.enter, label: `set-up of ${ask.id}` }
  const ended = await runCommand(machine, { ...call, timeoutMs: SETUP_MS, signal: ask.signal, contained: true })
  await writeFile(join(folder, 'setup.log'), ended.output, { mode: 0o600 })
  if (ended.code === 0) return
  const how = ended.late ? 'took more than half an hour' : `ended with ${ended.code}`
  const said = ended.stderr.trim() || ended.output.trim()
  const text = `The set-up command ${command} ${how}, and the place was removed again. It said: ${said.slice(-1_000) || 'nothing'}`
  throw new CarrelError('unavailable', text, { stderr: ended.stderr, output: ended.output.slice(-16_384) })
}

function gitSaid({ message }: GitFailure): string {
  return `${message}. Nothing of the place was left behind. Look at the repository, then try again.`
}
