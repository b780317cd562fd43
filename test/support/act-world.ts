import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type HistoryCore, openCore } from '../../src/host/history/core.ts'
import type { ApplyPlan, PlaceSpec, PlanAsk, ScanRequest } from '../../src/host/history/history.ts'
import { diskPath, parentOf, pathOf } from '../../src/host/history/log/paths.ts'
import type { CrashPoint } from '../../src/host/history/undo/moves.ts'
import type { Act, FilePath, Plan, PlanRequest } from '../../src/model/files/history.ts'
import type { ActId, RunId, SessionId } from '../../src/model/ids.ts'
import { specOf, writer } from './history-world.ts'

/** A real folder with its history, in this thread. A scan attributes changes to the runs that the test names. */
export interface ActWorld extends AsyncDisposable {
  readonly root: string
  readonly folder: string
  readonly keeper: HistoryCore
  readonly history: HistoryCore['history']
  readonly key: string
  write(path: FilePath, text: string | Buffer): void
  read(path: FilePath): string
  /** Scans the place and attributes the changes since the last scan to these runs; without runs, to other programs. */
  look(by?: readonly string[], more?: Partial<ScanRequest>): Promise<number>
  plan(request: PlanRequest, more?: Partial<PlanAsk>): Promise<Plan>
  /** Plans a request and applies the plan: keeps every conflicting path unless `overwrite` names it. */
  act(request: PlanRequest, overwrite?: readonly FilePath[], more?: Partial<PlanAsk>): Promise<Act>
  applyPlan(plan: Plan, how?: Partial<ApplyPlan>, more?: Partial<PlanAsk>): Promise<Act>
  /** The whole folder, in every detail that a scan can distinguish. */
  seen(): Record<FilePath, string>
  /** Opens another place of the same history. */
  another(name: string, files: Readonly<Record<FilePath, string>>, where?: Where): Promise<ActWorld>
}

/** Options of another place: a root apart from the first one, or another kind of place. */
interface Where {
  readonly root?: string
  readonly scope?: PlaceSpec['scope']
}

export const undoOf = (name: string): PlanRequest => ({
  kind: 'undo',
  of: { kind: 'run', run: `run_${name}` as RunId },
})
export const undoOfSession = (name: string): PlanRequest => ({
  kind: 'undo',
  of: { kind: 'session', session: `ses_${name}` as SessionId },
})
export const undoOfAct = ({ id }: Act): PlanRequest => ({ kind: 'undo', of: { kind: 'act', act: id } })
export const restoreTo = (to: number): PlanRequest => ({ kind: 'restore', to })
export const BY: ApplyPlan['by'] = { name: 'me', kind: 'person', face: 'library' }

export interface ActWorldOptions {
  /** The folder of the place and its history; default: a new one. */
  readonly top?: string
  readonly root?: string
  readonly point?: CrashPoint
}

export async function openActWorld(
  files: Readonly<Record<FilePath, string>>,
  { top = mkdtempSync(join(tmpdir(), 'carrel-act-')), root = join(top, 'one'), point }: ActWorldOptions = {},
): Promise<ActWorld> {
  const folder = join(top, 'history')
  mkdirSync(folder, { recursive: true })
  const keeper = openCore(folder, 1_000, () => {}, { point, firstSnapshotAt: () => 1_000 })
  const around: Around = { top, folder, keeper, history: keeper.history, clock: { now: 1_000 } }
  const world = await placed(around, specOf(basename(root), root), files)
  return {
    ...world,
    async [Symbol.asyncDispose]() {
      await keeper.close()
      rmSync(top, { recursive: true, force: true })
    },
  }
}

interface Around extends Pick<ActWorld, 'folder' | 'keeper' | 'history'> {
  readonly top: string
  readonly clock: { now: number }
}

async function placed(around: Around, spec: PlaceSpec, files: Readonly<Record<FilePath, string>>): Promise<ActWorld> {
  const { top, history, clock } = around
  const { key, root } = spec
  mkdirSync(root, { recursive: true })
  const write = (path: FilePath, text: string | Buffer) => {
    mkdirSync(diskPath(root, parentOf(path)), { recursive: true })
    writeFileSync(diskPath(root, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  await history.open(spec)
  await history.ready(key)
  const ask = (request: PlanRequest, more: Partial<PlanAsk> = {}): PlanAsk => ({
    request,
    paths: [],
    active: [],
    writers: [],
    now: clock.now++,
    ...more,
  })
  const plan: ActWorld['plan'] = (request, more) => history.plan(key, ask(request, more))
  const applyPlan: ActWorld['applyPlan'] = (looked, how, more) => {
    const id = `act_${process.pid}_${clock.now}` as ActId
    const named = { overwrite: [], leave: [], digest: looked.digest, act: id, by: BY }
    return history.applyPlan(key, ask(looked.request, more), { ...named, ...how })
  }
  return {
    ...around,
    root,
    key,
    write,
    plan,
    applyPlan,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    async look(by = [], more = {}) {
      const writers = by.map((name) => writer(name))
      const look: ScanRequest = { at: 'everything', paths: [], reason: 'asked', writers, now: clock.now++ }
      return (await history.capture(key, { ...look, ...more })).n
    },
    async act(request, overwrite = [], more) {
      const looked = await plan(request, more)
      const conflicts = looked.entries.filter((entry) => entry.conflicts.length > 0).map(({ path }) => path)
      return applyPlan(looked, { overwrite, leave: conflicts.filter((path) => !overwrite.includes(path)) }, more)
    },
    seen: () => seenIn(root),
    another: (name, others, { root: at = join(top, name), scope = spec.scope } = {}) =>
      placed(around, { ...specOf(name, at), scope }, others),
    async [Symbol.asyncDispose]() {},
  }
}

/** Returns kind, mode and bytes of each path in a folder. */
export function seenIn(root: string, folder = ''): Record<FilePath, string> {
  const found: Record<FilePath, string> = {}
  for (const name of readdirSync(diskPath(root, folder), 'buffer').map(pathOf)) {
    const path = folder === '' ? name : `${folder}/${name}`
    const at = diskPath(root, path)
    const stats = lstatSync(at)
    const mode = (stats.mode & 0o7777).toString(8)
    if (stats.isSymbolicLink()) found[path] = `link ${readlinkSync(at, 'buffer').toString('latin1')}`
    else if (stats.isDirectory()) Object.assign(found, { [path]: `folder ${mode}` }, seenIn(root, path))
    else if (!stats.isFile()) found[path] = 'special'
    else found[path] = `file ${mode} ${readFileSync(at).toString('latin1')}`
  }
  return found
}
