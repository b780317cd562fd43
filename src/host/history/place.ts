import type { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import type { FilePath, HistoryStatus } from '../../model/history.ts'
import { createSerial } from '../../primitives/serial.ts'
import { createTimer } from '../../primitives/timers.ts'
import { type Authors, openAuthors } from './authors.ts'
import { type Begun, createBegun } from './begun.ts'
import type { Blobs } from './blobs.ts'
import type { Book } from './book.ts'
import { createPacer, type DiskClock } from './clock.ts'
import { inTransaction, inWords } from './db.ts'
import { contentsOf, createFinder, type Findings } from './findings.ts'
import { type GapBook, openGapBook } from './gap-book.ts'
import type { Captured, Look, PlaceSpec } from './history.ts'
import { openIgnorer } from './ignore.ts'
import { type Import, openImport } from './import.ts'
import { joined } from './join.ts'
import { type Layer, openLayer } from './layer.ts'
import { type Eye, statsAt, TICK } from './look.ts'
import { openPresent, type Present } from './present.ts'
import { openPast, type Past } from './query.ts'
import { createRecorder, type JoinedLook, type Recorder } from './record.ts'
import { changeRules, type Ground, scanAll, scanSome } from './scan.ts'
import { startWatch, type Watch } from './watch.ts'

/** What all places of one worker share. */
export interface Household {
  readonly db: DatabaseSync
  readonly blobs: Blobs
  readonly clock: DiskClock
  /** The folder of the history itself: no part of any place. */
  readonly folder: string
  /** Before anything else is done in a place: an act that was cut there is finished or taken back. */
  readonly settle: (book: Book) => Promise<void>
  readonly onNews: (news: { key: string; what: 'progress' | 'outside' | 'snapshot' }) => void
}

/** An opened place. One thing at a time happens to it. */
export interface Place {
  readonly id: number
  readonly spec: PlaceSpec
  readonly book: Book
  readonly past: Past
  readonly gaps: GapBook
  /** Runs when everything before it is done. */
  run<T>(job: () => T | Promise<T>): Promise<T>
  /** Looks that wait for the same place are answered by one look. */
  capture(look: Look): Promise<Captured>
  keepFirst(paths: readonly FilePath[]): Promise<void>
  status(): HistoryStatus
  /** Resolves when the first import is done; rejects when it failed. */
  readonly imported: Promise<void>
  close(): Promise<void>
}

interface Parts {
  readonly home: Household
  readonly id: number
  readonly spec: PlaceSpec
  readonly present: Present
  readonly gaps: GapBook
  readonly past: Past
  readonly recorder: Recorder
  readonly begun: Begun
  readonly layer: Layer | null
  readonly watch: Watch | null
}

interface State {
  importing: Import | null
  isImported: boolean
  failed: string | null
  /** A walk was begun while the watcher was armed: from then on hints are good. */
  isWalked: boolean
  /** Rules are others than those of the last walk. */
  recheck: boolean
  closed: boolean
}

/** Opens a place, which is in the database from then on, and begins its import where that is to come. */
export function openPlace(home: Household, spec: PlaceSpec, now: number): Place {
  const { db, blobs } = home
  const row = rowOf(db, spec)
  const authors: Authors = openAuthors(db)
  const present = openPresent(db, row.id)
  const gaps = openGapBook(db, row.id)
  const layer = spec.scope.kind === 'layer' ? openLayer(spec.root, spec.scope, blobs) : null
  const past = openPast(db, row.id, layer)
  const begun = createBegun(spec.root)
  const recorder = createRecorder({ db, id: row.id, root: spec.root, blobs, authors, present, gaps, begun })
  const news = (what: 'progress' | 'outside' | 'snapshot') => home.onNews({ key: spec.key, what })
  const watch = layer
    ? null
    : startWatch(spec.root, spec.rules.ignore, { hint: () => news('outside'), armed: () => news('progress') })
  const parts: Parts = { home, id: row.id, spec, present, gaps, past, recorder, begun, layer, watch }
  const rules = JSON.stringify(spec.rules)
  const state: State = {
    importing: null,
    isImported: row.imported === 1,
    failed: null,
    isWalked: false,
    recheck: row.rules !== rules,
    closed: false,
  }
  if (recorder.newest() === 0) recorder.begin(now)
  return assemble(parts, state, news)
}

function rowOf(db: DatabaseSync, { key, labels }: PlaceSpec): { id: number; imported: number; rules: string } {
  db.prepare(
    `insert into places (key, workspace, space, project) values (?, ?, ?, ?)
     on conflict (key) do update set workspace = excluded.workspace, space = excluded.space, project = excluded.project`,
  ).run(key, labels.workspace, labels.space, labels.project)
  return db.prepare('select id, imported, rules from places where key = ?').get(key) as never
}

function assemble(parts: Parts, state: State, news: (what: 'progress' | 'snapshot') => void): Place {
  const run = createSerial().run
  const rest = createRest(() => run(() => parts.present.drop()))
  const looked = createLooker(parts, state, rest.put)
  const look: typeof looked = async (asked) => {
    const before = parts.recorder.newest()
    const captured = await looked(asked)
    if (captured.n !== before) news('snapshot')
    return captured
  }
  const book = createBook(parts, look)
  const imported = state.isImported ? Promise.resolve() : importAll(parts, state, run, news)
  // Nobody may be waiting for it; `status` says what went wrong.
  imported.catch(() => undefined)
  let waiting: { readonly looks: Look[]; readonly done: Promise<Captured> } | null = null
  return {
    id: parts.id,
    spec: parts.spec,
    book,
    past: parts.past,
    gaps: parts.gaps,
    run,
    get imported() {
      return state.isImported ? Promise.resolve() : imported
    },
    capture(asked) {
      if (waiting) {
        waiting.looks.push(asked)
        return waiting.done
      }
      const looks = [asked]
      const done = run(async () => {
        waiting = null
        // What an act left half done is nobody's change.
        await parts.home.settle(book)
        return look(joined(looks))
      })
      waiting = { looks, done }
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

function groundOf({ spec, present, gaps, home }: Parts, recheck: boolean): Ground {
  const { root, rules } = spec
  const ignorer = openIgnorer(root, rules, home.folder)
  return { root, present, gaps, ignorer, useGitignore: rules.useGitignore, recheck, breathe: createPacer() }
}

function eyeOf({ spec, home }: Parts): Eye {
  const { root, rules } = spec
  return { root, blobs: home.blobs, maxFileBytes: rules.maxFileBytes, racyFrom: home.clock.now() - TICK }
}

/** A folder that is gone is not a folder whose files were all deleted. */
function checkRoot({ root }: PlaceSpec): void {
  if (statsAt(root, '')?.isDirectory()) return
  throw new CarrelError('gone', `The folder ${root} is not there. Put it back, or give the Space another folder.`)
}

/** What is present stays in memory while it is used: a walk needs it all, and reads it faster than it looks. ms. */
const IDLE = 60_000

function createRest(drop: () => unknown): { put(): void; end(): void } {
  const timer = createTimer({ ref: false })
  return { put: () => timer.restart(IDLE, drop), end: timer.stop }
}

function createLooker(parts: Parts, state: State, onLooked: () => void): (look: JoinedLook) => Promise<Captured> {
  const { home, spec, recorder, begun, layer, watch } = parts
  return async (look) => {
    checkRoot(spec)
    const ground = groundOf(parts, state.recheck)
    const finder = createFinder(eyeOf(parts), parts.present, parts.gaps)
    if (!layer && !state.isImported && !state.importing) await importing(parts, state)
    const hinted = watch?.take() ?? null
    try {
      if (layer) await layer.find(ground, finder, (path) => parts.past.stateAt(path, recorder.newest()))
      else await find(parts, state, { ground, finder, look, hinted })
      const captured = recorder.record(finder.findings, look)
      // What a view changed is told exactly, and late by nobody.
      if (!layer) begun.note(look.marks, home.clock.now)
      return captured
    } catch (error) {
      home.blobs.giveUp(contentsOf(finder.findings))
      watch?.giveBack(hinted)
      throw error
    } finally {
      onLooked()
    }
  }
}

/** So few paths are walked sooner than the watcher tells of them, which takes it 50 ms and more. */
const FEW = 200
const isSmall = ({ present, gaps }: Parts): boolean => present.count() + gaps.size <= FEW

interface Search {
  readonly ground: Ground
  readonly finder: { readonly findings: Findings } & ReturnType<typeof createFinder>
  readonly look: JoinedLook
  readonly hinted: ReadonlySet<FilePath> | null
}

async function find(parts: Parts, state: State, { ground, finder, look, hinted }: Search): Promise<void> {
  const paths = new Set([...(hinted ?? []), ...look.paths])
  const isSure = hinted !== null && state.isWalked && !state.recheck
  const rulesMove = parts.spec.rules.useGitignore && changeRules(paths)
  const isNear = state.importing
    ? look.at !== 'everything'
    : look.at === 'hints' && isSure && !rulesMove && !isSmall(parts)
  if (isNear) {
    state.importing?.first(paths)
    return scanSome(ground, finder, paths)
  }
  while (state.importing?.next()) await ground.breathe()
  finishImport(parts, state)
  const armed = parts.watch?.armed ?? false
  await scanAll(ground, finder)
  state.isWalked = armed
  if (state.recheck) keepRules(parts, state)
}

function keepRules({ home, id, spec }: Parts, state: State): void {
  home.db.prepare('update places set rules = ? where id = ?').run(JSON.stringify(spec.rules), id)
  state.recheck = false
}

async function importing(parts: Parts, state: State): Promise<void> {
  checkRoot(parts.spec)
  const imported = await openImport(groundOf(parts, false), eyeOf(parts), parts.recorder)
  keepRules(parts, state)
  state.importing = imported
}

function finishImport({ home, id }: Parts, state: State): void {
  if (!state.importing) return
  inTransaction(home.db, () => {
    home.db.prepare('update places set imported = 1 where id = ?').run(id)
    home.db
      .prepare(
        'update snapshots set created = (select count(*) from files where place = ?1 and since = 1) where place = ?1 and n = 1',
      )
      .run(id)
  })
  state.importing = null
  state.isImported = true
  // A look went on with it where it had failed.
  state.failed = null
}

async function importAll(
  parts: Parts,
  state: State,
  run: Place['run'],
  news: (what: 'progress') => void,
): Promise<void> {
  try {
    if (!parts.layer) await run(() => (state.isImported || state.importing ? undefined : importing(parts, state)))
    let goesOn = true
    while (goesOn && !state.closed) {
      goesOn = await run(() => state.importing?.next() ?? false)
      news('progress')
      // Between two pieces whoever else waits has a turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!state.closed) await run(() => finishImport(parts, state))
  } catch (error) {
    state.failed = inWords(error).message
    throw error
  } finally {
    news('progress')
  }
}

function createBook(parts: Parts, look: (joined: JoinedLook) => Promise<Captured>): Book {
  const { home, spec, past, gaps, recorder, layer } = parts
  const { blobs, db } = home
  return {
    key: spec.key,
    root: spec.root,
    get newest() {
      return recorder.newest()
    },
    capture: (asked) => look(joined([asked])),
    snapshot: past.snapshot,
    stateAt: past.stateAt,
    below: past.below,
    between: (from, to) => past.between(from, to),
    changesBy: past.changesBy,
    changesOf: (path) => past.changesOf(path, { before: null, limit: -1 }).reverse(),
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
    gapAt: (path) => gaps.covering(path),
    gaps: () => gaps.list(),
  }
}

function statusOf({ home, id, spec, present, recorder, gaps, watch }: Parts, state: State): HistoryStatus {
  const { db } = home
  const missing = !statsAt(spec.root, '')?.isDirectory()
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
    problem: state.failed,
  }
}
