import type { DatabaseSync } from 'node:sqlite'
import type { FilePath, HistoryStatus } from '../../model/files/history.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { createPacer } from '../../primitives/pacer.ts'
import { createSerial } from '../../primitives/serial.ts'
import { createTimer } from '../../primitives/timers.ts'
import { rootGone } from '../root-folder.ts'
import type { Captured, PlaceSpec, ScanRequest } from './history.ts'
import type { Blobs } from './log/blobs.ts'
import type { Book } from './log/book.ts'
import type { DiskClock } from './log/clock.ts'
import { explainError, inTransaction } from './log/db.ts'
import { type GapBook, openGapBook } from './log/gap-book.ts'
import { FOLDER, openPresent, type Present } from './log/present.ts'
import { openPast, type Past } from './log/query.ts'
import { openUncovered } from './log/uncovered.ts'
import { guardScan, openPlaceRoot, type PlaceRoot } from './root.ts'
import { type AttributeBook, openAttributeBook } from './scan/attribute-book.ts'
import { type Authors, openAuthors } from './scan/authors.ts'
import { contentsOf, createFinder, type Findings } from './scan/findings.ts'
import { openIgnorer } from './scan/ignore.ts'
import { type Import, openImport } from './scan/import.ts'
import { type InspectOptions, TICK } from './scan/inspect.ts'
import { joined } from './scan/join.ts'
import { type OverlayLayer, openLayer } from './scan/layer.ts'
import { LATE } from './scan/moments.ts'
import { createRecorder, type JoinedScan, type ScanRecorder } from './scan/record.ts'
import { changeRules, type ScanContext, scanAll, scanSome } from './scan/scan.ts'
import { createTornFiles, type TornFiles } from './scan/torn.ts'
import { type FolderWatch, startWatch } from './scan/watch.ts'

/** Parts that all places of one worker share. */
export interface SharedParts {
  readonly db: DatabaseSync
  readonly blobs: Blobs
  readonly firstSnapshotAt: () => number
  readonly clock: DiskClock
  /** Folder of the history itself, which no place contains. */
  readonly folder: string
  /** Finishes or rolls back an interrupted act, before anything else happens in its place. */
  readonly settle: (book: Book) => Promise<void>
  readonly onNews: (news: { key: string; what: 'progress' | 'outside' | 'snapshot' }) => void
}

/** Open place. Its operations are serial. */
export interface OpenPlace {
  readonly id: number
  readonly spec: PlaceSpec
  readonly root: PlaceRoot
  readonly book: Book
  readonly past: Past
  readonly gaps: GapBook
  /** Runs the job after all earlier ones. */
  run<T>(job: () => T | Promise<T>): Promise<T>
  /** Scans the place. Requests that wait together share one scan. */
  capture(scan: ScanRequest): Promise<Captured>
  keepFirst(paths: readonly FilePath[]): Promise<void>
  status(): HistoryStatus
  /** Resolves when the first import is done; rejects when it failed. */
  readonly imported: Promise<void>
  close(): Promise<void>
}

interface Parts {
  readonly shared: SharedParts
  readonly id: number
  readonly spec: PlaceSpec
  readonly root: PlaceRoot
  readonly present: Present
  readonly gaps: GapBook
  readonly attributes: AttributeBook
  readonly past: Past
  readonly recorder: ScanRecorder
  readonly layer: OverlayLayer | null
  readonly watch: FolderWatch | null
  readonly torn: TornFiles
}

interface State {
  importing: Import | null
  isImported: boolean
  failed: string | null
  /** True after a walk that began while the watcher was armed: hints are complete from then on. */
  isWalked: boolean
  /** True when the rules differ from those of the last walk. */
  recheck: boolean
  /** Scans saw every change before this time, by the clock that stamps files. ms. */
  seen: number
  closed: boolean
}

/** Opens a place, adds it to the database and begins its import if that is still to do. */
export function openPlace(shared: SharedParts, spec: PlaceSpec): OpenPlace {
  const { db, blobs } = shared
  const row = rowOf(db, spec)
  const authors: Authors = openAuthors(db)
  const present = openPresent(db, row.id)
  const root = openPlaceRoot(db, row.id, spec, present)
  const gaps = openGapBook(db, row.id)
  const layer = spec.scope.kind === 'layer' ? openLayer(spec.root, spec.scope, blobs) : null
  const past = openPast(db, row.id, layer)
  const uncovered = openUncovered(db, row.id)
  const attributes = openAttributeBook(db, row.id, spec.root)
  const common = { db, id: row.id, root: spec.root, blobs, authors, present, uncovered, gaps, attributes }
  const recorder = createRecorder(common)
  const news = (what: 'progress' | 'outside' | 'snapshot') => shared.onNews({ key: spec.key, what })
  const watch =
    layer || spec.frozen
      ? null
      : startWatch(spec.root, spec.rules.ignore, { hint: () => news('outside'), armed: () => news('progress') })
  const torn = createTornFiles(spec.root)
  const opened = { spec, root, present, gaps, attributes, past, recorder, layer, watch, torn }
  const parts: Parts = { shared, id: row.id, ...opened }
  const rules = JSON.stringify(spec.rules)
  const state: State = {
    importing: null,
    isImported: row.imported === 1,
    failed: null,
    isWalked: false,
    recheck: row.rules !== rules,
    seen: (recorder.newest() === 0 ? shared.clock.now() : shared.clock.before) - LATE,
    closed: false,
  }
  if (recorder.newest() === 0) recorder.begin(Math.trunc(shared.firstSnapshotAt()))
  return assemble(parts, state, news)
}

function rowOf(db: DatabaseSync, { key, labels }: PlaceSpec): { id: number; imported: number; rules: string } {
  db.prepare(
    `insert into places (key, workspace, space, project) values (?, ?, ?, ?)
     on conflict (key) do update set workspace = excluded.workspace, space = excluded.space, project = excluded.project`,
  ).run(key, labels.workspace, labels.space, labels.project)
  return db.prepare('select id, imported, rules from places where key = ?').get(key) as never
}

function assemble(parts: Parts, state: State, news: (what: 'progress' | 'snapshot') => void): OpenPlace {
  const run = createSerial().run
  const rest = createRest(() => run(() => parts.present.drop()))
  const scanNow = createScanner(parts, state, rest.put)
  const scan: typeof scanNow = async (asked) => {
    const before = parts.recorder.newest()
    const captured = await scanNow(asked)
    if (captured.n !== before) news('snapshot')
    return captured
  }
  const book = createBook(parts, scan)
  const imported = state.isImported || parts.spec.frozen ? Promise.resolve() : importAll(parts, state, run, news)
  // A caller may not await this promise; `status` reports the failure.
  imported.catch(() => undefined)
  let waiting: { readonly scans: ScanRequest[]; readonly done: Promise<Captured> } | null = null
  return {
    id: parts.id,
    spec: parts.spec,
    root: parts.root,
    book,
    past: parts.past,
    gaps: parts.gaps,
    run,
    get imported() {
      return state.isImported ? Promise.resolve() : imported
    },
    capture(asked) {
      if (waiting) {
        waiting.scans.push(asked)
        return waiting.done
      }
      const scans = [asked]
      const done = run(async () => {
        waiting = null
        // An interrupted act must not count as a change, so it is settled first.
        await parts.shared.settle(book)
        return scan(joined(scans))
      })
      waiting = { scans, done }
      return done
    },
    keepFirst: (paths) => run(() => state.importing?.first(paths)),
    status: () => statusOf(parts, state),
    async close() {
      state.closed = true
      rest.end()
      await parts.watch?.close()
      await run(() => parts.present.drop())
    },
  }
}

function scanContextOf({ spec, present, gaps, shared }: Parts, recheck: boolean): ScanContext {
  const { root, rules } = spec
  const ignorer = openIgnorer(root, rules, shared.folder)
  return { root, present, gaps, ignorer, useGitignore: rules.useGitignore, recheck, breathe: createPacer() }
}

function inspectOptionsOf({ spec, shared }: Parts, now = shared.clock.now()): InspectOptions {
  const { root, rules } = spec
  return { root, blobs: shared.blobs, maxFileBytes: rules.maxFileBytes, racyFrom: now - TICK }
}

/** The known states stay in memory this long after use: a walk needs all of them. ms. */
const IDLE = 60_000

function createRest(drop: () => unknown): { put(): void; end(): void } {
  const timer = createTimer({ ref: false })
  return { put: () => timer.restart(IDLE, drop), end: timer.stop }
}

function createScanner(parts: Parts, state: State, onScanned: () => void): (scan: JoinedScan) => Promise<Captured> {
  const { shared, spec, root, present, attributes, recorder, layer, watch, torn } = parts
  return async (scan) => {
    const confirm = guardScan(spec.root, root)
    const context = scanContextOf(parts, state.recheck)
    const begins = shared.clock.now()
    const finder = createFinder(inspectOptionsOf(parts, begins), parts.present, parts.gaps)
    if (!layer && !state.isImported && !state.importing) await importing(parts, state)
    const hinted = watch?.take() ?? null
    try {
      let isWhole = layer !== null
      if (layer) await layer.find(context, finder, (path) => parts.past.stateAt(path, recorder.newest()))
      else isWhole = await find(parts, state, { context, finder, scan, hinted })
      confirm(finder.findings)
      const unsettled = torn.leaveOut(finder.findings, begins)
      const captured = recorder.record(finder.findings, scan, { seen: state.seen, torn: torn.times })
      // A new owner of a known folder is no finding, so the hints name it.
      const isFolder = (path: FilePath) => present.get(path)?.kind === FOLDER
      const folders = hinted === null ? [...present.folders()] : [...hinted, ...scan.paths].filter(isFolder)
      if (folders.length > 0) attributes.note(folders)
      torn.keep(unsettled)
      state.seen = Math.max(state.seen, isWhole ? begins : begins - LATE)
      return { ...captured, unsettled: unsettled.size > 0 }
    } catch (error) {
      shared.blobs.giveUp(contentsOf(finder.findings))
      watch?.giveBack(hinted)
      // Only the folder itself can be missing here: it was away for a moment.
      throw isAbsent(error) ? rootGone(spec.root, null) : error
    } finally {
      onScanned()
    }
  }
}

/** Up to this many paths, a walk is faster than the watcher, which takes 50 ms and more. */
const FEW = 200
/** Up to this many paths, the scan before a run is a walk (5 ms): no late hint of what a person did is left for the run. */
const FEW_AT_START = 2_000
const isSmall = ({ present, gaps }: Parts, { marks }: JoinedScan): boolean =>
  present.count() + gaps.size <= (marks.some(({ what }) => what === 'start') ? FEW_AT_START : FEW)

interface Search {
  readonly context: ScanContext
  readonly finder: { readonly findings: Findings } & ReturnType<typeof createFinder>
  readonly scan: JoinedScan
  readonly hinted: ReadonlySet<FilePath> | null
}

/** Finds all changes, or those of which it has hints. Returns whether it looked at every path. */
async function find(parts: Parts, state: State, { context, finder, scan, hinted }: Search): Promise<boolean> {
  const paths = new Set([...(hinted ?? []), ...scan.paths, ...parts.torn.times.keys()])
  const isSure = hinted !== null && state.isWalked && !state.recheck
  const rulesMove = parts.spec.rules.useGitignore && changeRules(paths)
  const isNear = state.importing
    ? scan.at !== 'everything'
    : scan.at === 'hints' && isSure && !rulesMove && !isSmall(parts, scan)
  if (isNear) {
    state.importing?.first(paths)
    await scanSome(context, finder, paths)
    return false
  }
  while (state.importing?.next()) await context.breathe()
  finishImport(parts, state)
  const armed = parts.watch?.armed ?? false
  await scanAll(context, finder)
  state.isWalked = armed
  if (state.recheck) keepRules(parts, state)
  return true
}

function keepRules({ shared, id, spec }: Parts, state: State): void {
  shared.db.prepare('update places set rules = ? where id = ?').run(JSON.stringify(spec.rules), id)
  state.recheck = false
}

async function importing(parts: Parts, state: State): Promise<void> {
  parts.root.check()
  const imported = await openImport(scanContextOf(parts, false), inspectOptionsOf(parts), parts.recorder)
  // Paths of an interrupted import are covered already: the first walk checks them against the rules of now.
  if (parts.present.count() > 0) state.recheck = true
  else keepRules(parts, state)
  state.importing = imported
}

function finishImport({ shared, id, root }: Parts, state: State): void {
  if (!state.importing) return
  root.check()
  inTransaction(shared.db, () => {
    shared.db.prepare('update places set imported = 1 where id = ?').run(id)
    shared.db
      .prepare(
        'update snapshots set created = (select count(*) from files where place = ?1 and since = 1 and kept < 2) where place = ?1 and n = 1',
      )
      .run(id)
  })
  state.importing = null
  state.isImported = true
  // This scan completed an import that had failed before.
  state.failed = null
}

async function importAll(
  parts: Parts,
  state: State,
  run: OpenPlace['run'],
  news: (what: 'progress') => void,
): Promise<void> {
  try {
    if (!parts.layer) await run(() => (state.isImported || state.importing ? undefined : importing(parts, state)))
    let goesOn = true
    while (goesOn && !state.closed) {
      goesOn = await run(() => state.importing?.next() ?? false)
      news('progress')
      // Other waiting work has a turn between two pieces.
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!state.closed) await run(() => finishImport(parts, state))
  } catch (error) {
    state.failed = explainError(error).message
    throw error
  } finally {
    news('progress')
  }
}

function createBook(parts: Parts, scan: (joined: JoinedScan) => Promise<Captured>): Book {
  const { shared, spec, root, past, gaps, attributes, recorder, layer } = parts
  const { blobs, db } = shared
  return {
    key: spec.key,
    root: spec.root,
    holdRoot: root.hold,
    get newest() {
      return recorder.newest()
    },
    capture: (asked) => scan(joined([asked])),
    snapshot: past.snapshot,
    stateAt: past.stateAt,
    below: past.below,
    between: (from, to) => past.between(from, to),
    betweenWithCoverage: past.noted.between,
    changesBy: past.noted.changesBy,
    changesOf: (path) => past.noted.changesOf(path).reverse(),
    lastChange: past.lastChange,
    bytes({ kind, digest }) {
      if (kind === 'folder' || digest === null) return null
      const id = blobs.idOf(Buffer.from(digest, 'hex'))
      return (id === null ? null : blobs.bytes(id)) ?? layer?.bytes(digest) ?? null
    },
    kept: ({ kind, digest }) =>
      kind === 'folder' ||
      (digest !== null && (blobs.isKept(Buffer.from(digest, 'hex')) || layer?.has(digest) === true)),
    put(bytes) {
      const content = blobs.from(bytes)
      try {
        inTransaction(db, () => blobs.hold(content))
      } catch (error) {
        blobs.giveUp([content])
        throw error
      }
      return content.digest.toString('hex')
    },
    attributesOf: attributes.of,
    gapAt: (path) => gaps.covering(path),
    excludes(planned) {
      const ignorer = openIgnorer(spec.root, spec.rules, shared.folder, planned)
      return (path, now, next) => {
        if (now === null && ignorer.outermost(path, next?.kind === 'folder') !== null) return 'ignored'
        return next?.kind === 'file' && next.size > spec.rules.maxFileBytes ? 'too_large' : null
      }
    },
    gaps: () => gaps.list(),
  }
}

function statusOf({ shared, id, root, present, recorder, gaps, watch }: Parts, state: State): HistoryStatus {
  const { db } = shared
  const missing = root.problem()
  const snapshots = db.prepare('select count(*) as n from snapshots where place = ? and kept = 1').get(id)
  const bytes = db.prepare('select bytes as n from places where id = ?').get(id)
  return {
    state: missing ? 'missing' : state.failed ? 'failed' : state.isImported ? 'ready' : 'importing',
    progress: state.isImported
      ? null
      : { done: state.importing?.progress.done ?? 0, total: state.importing?.progress.total ?? null },
    n: recorder.newest(),
    files: present.count(),
    snapshots: Number(snapshots?.n),
    bytes: Number(bytes?.n),
    gaps: gaps.size,
    watching: watch?.armed ?? false,
    problem: missing ?? state.failed,
  }
}
