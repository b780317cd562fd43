import type { DatabaseSync } from 'node:sqlite'
import type { Retention, SweepResult } from '../history.ts'
import type { Blobs } from './blobs.ts'
import { inTransaction } from './db.ts'

/** Parts that a sweep needs. */
export interface SweepContext {
  readonly db: DatabaseSync
  readonly blobs: Blobs
  readonly breathe: () => Promise<void> | undefined
  /** Last blob row at the previous sweep. Content up to it that still has no user is unused. */
  held: number
}

interface Dated {
  readonly n: number
  readonly at: number
  readonly pinned: number
}
interface PlaceRow {
  readonly id: number
  readonly key: string
  readonly workspace: string
  readonly newest: number
}

/** Changes in one transaction; captures run in between. */
const STEP = 500
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Pages of 4 KiB returned to the disk at a time. */
const PAGES = 2_000

/**
 * Thins out old snapshots. Facts and authors stay; content that only thinned snapshots had is freed. Ages decide first;
 * then, over a workspace's budget, the oldest snapshots go. Works in small steps: an interrupted sweep continues next
 * time, and listed snapshots are always complete.
 */
export async function sweepAll(context: SweepContext, policy: Retention): Promise<SweepResult> {
  const places = context.db.prepare('select id, key, workspace, newest from places').all() as unknown as PlaceRow[]
  const freed = { snapshots: 0, bytes: 0 }
  for (const place of places) {
    await thin(context, place, aged(snapshotsOf(context.db, place), protectedOf(place, policy), policy), freed)
  }
  const over =
    policy.maxBytes === null ? [] : await underBudget(context, places, { policy, freed, max: policy.maxBytes })
  context.held = context.blobs.dropHeld(context.held)
  context.blobs.drop()
  context.blobs.strays()
  await giveBack(context)
  return { ...freed, over }
}

/** Returns the snapshots that no sweep removes. */
const protectedOf = ({ key, newest }: PlaceRow, { needed }: Retention): ReadonlySet<number> =>
  new Set([newest, ...(needed.get(key) ?? [])])

const snapshotsOf = (db: DatabaseSync, { id }: PlaceRow): Dated[] =>
  db
    .prepare('select n, at, pinned from snapshots where place = ? and kept = 1 order by n')
    .all(id) as unknown as Dated[]

/** Returns the snapshots that are too many for their age. The last one of each hour, later of each day, stays. */
export function aged(all: readonly Dated[], keep: ReadonlySet<number>, policy: Retention): number[] {
  const { now, keepAllMs, keepHourlyMs } = policy
  const slotOf = (at: number) => {
    const age = now - at
    if (age < keepAllMs) return null
    return age < keepAllMs + keepHourlyMs ? `hour ${Math.floor(at / HOUR)}` : `day ${Math.floor(at / DAY)}`
  }
  const last = new Map(all.map(({ n, at }) => [slotOf(at), n]))
  return all
    .filter(({ n, at, pinned }) => !pinned && !keep.has(n) && slotOf(at) !== null && last.get(slotOf(at)) !== n)
    .map(({ n }) => n)
}

type Freed = { snapshots: number; bytes: number }

async function underBudget(
  context: SweepContext,
  places: readonly PlaceRow[],
  { policy, freed, max }: { policy: Retention; freed: Freed; max: number },
): Promise<{ workspace: string; bytes: number }[]> {
  const over: { workspace: string; bytes: number }[] = []
  for (const workspace of new Set(places.map((place) => place.workspace))) {
    const theirs = places.filter((place) => place.workspace === workspace)
    const bytes = () => bytesOf(context.db, workspace)
    for (let tried = true; tried && bytes() > max; ) {
      tried = false
      for (const place of theirs) {
        const keep = protectedOf(place, policy)
        const loose = snapshotsOf(context.db, place).filter(({ n, pinned }) => !pinned && !keep.has(n))
        // A part at a time, the oldest first, so that no more is removed than necessary.
        const some = loose.slice(0, Math.ceil(loose.length / 8)).map(({ n }) => n)
        if (bytes() > max) await thin(context, place, some, freed)
        tried ||= some.length > 0
      }
    }
    if (bytes() > max) over.push({ workspace, bytes: bytes() - max })
  }
  return over
}

const bytesOf = (db: DatabaseSync, workspace: string): number =>
  Number(db.prepare('select coalesce(sum(bytes), 0) as n from places where workspace = ?').get(workspace)?.n)

/** Removes snapshots from the list, frees the content that only they had, then marks them as done. */
async function thin(context: SweepContext, { id }: PlaceRow, ns: readonly number[], freed: Freed): Promise<void> {
  const { db } = context
  const mark = db.prepare('update snapshots set kept = -1 where place = ? and n = ? and kept = 1 and pinned = 0')
  inTransaction(db, () => {
    for (const n of ns) freed.snapshots += Number(mark.run(id, n).changes)
  })
  const begun = db.prepare('select n from snapshots where place = ? and kept = -1 order by n').all(id) as {
    n: number
  }[]
  const spans = new Map(begun.map(({ n }) => spanAround(db, id, n)).map((span) => [span.from, span]))
  for (const span of spans.values()) freed.bytes += await empty(context, id, span)
  db.prepare('update snapshots set kept = 0 where place = ? and kept = -1').run(id)
}

type Span = { readonly from: number; readonly to: number }

/** Returns the listed snapshots on both sides. The newest is always listed. */
function spanAround(db: DatabaseSync, id: number, n: number): Span {
  return db
    .prepare(
      `select (select coalesce(max(n), 0) from snapshots where place = ?1 and n < ?2 and kept = 1) as "from",
              (select min(n) from snapshots where place = ?1 and n > ?2 and kept = 1) as "to"`,
    )
    .get(id, n) as unknown as Span
}

/** Frees states that began and ended between two listed snapshots: neither shows them. */
async function empty({ db, blobs, breathe }: SweepContext, id: number, { from, to }: Span): Promise<number> {
  const changes = db.prepare(
    'select n, path from changes where place = ?1 and n <= ?3 and (n, path) > (?2, ?4) order by n, path limit ?5',
  )
  const emptied = db.prepare(
    'update files set kept = 0 where place = ? and path = ? and until = ? and since > ? and kept = 1 returning blob',
  )
  let bytes = 0
  let after: { n: number; path: Uint8Array } = { n: from + 1, path: Buffer.alloc(0) }
  for (;;) {
    const rows = changes.all(id, after.n, to, after.path, STEP) as unknown as (typeof after)[]
    inTransaction(db, () => {
      for (const { n, path } of rows) {
        for (const { blob } of emptied.all(id, path, n, from) as { blob: number | null }[]) {
          if (blob !== null) bytes += blobs.release(blob)
        }
      }
    })
    blobs.drop()
    const last = rows.at(-1)
    if (!last || rows.length < STEP) return bytes
    after = last
    await breathe()
  }
}

async function giveBack({ db, breathe }: SweepContext): Promise<void> {
  const free = () => Number(db.prepare('pragma freelist_count').get()?.freelist_count)
  for (let before = free(); before > PAGES; before = free()) {
    db.exec(`pragma incremental_vacuum(${PAGES})`)
    if (free() >= before) return
    await breathe()
  }
}

/** Removes a place and its whole past. Shared content moves to another owner. */
export async function forgetPlace(context: SweepContext, id: number): Promise<void> {
  const { db, blobs, breathe } = context
  const some = db.prepare('select path, since, blob, kept from files where place = ? limit ?')
  const remove = db.prepare('delete from files where place = ? and path = ? and since = ?')
  interface Row {
    readonly path: Uint8Array
    readonly since: number
    readonly blob: number | null
    readonly kept: number
  }
  for (let rows = some.all(id, STEP) as unknown as Row[]; rows.length > 0; rows = some.all(id, STEP) as never) {
    inTransaction(db, () => {
      for (const { path, since, blob, kept } of rows) {
        remove.run(id, path, since)
        if (kept && blob !== null) blobs.release(blob)
      }
    })
    blobs.drop()
    await breathe()
  }
  inTransaction(db, () => {
    inherit(db, id)
    for (const table of ['changes', 'snapshots', 'marks', 'gaps', 'attributes']) {
      db.prepare(`delete from ${table} where place = ?`).run(id)
    }
    db.prepare('delete from places where id = ?').run(id)
  })
  await giveBack(context)
}

function inherit(db: DatabaseSync, id: number): void {
  const heirs = db
    .prepare(
      'select b.id, b.stored, min(f.place) as heir from blobs b join files f on f.blob = b.id where b.owner = ? group by b.id',
    )
    .all(id) as { id: number; stored: number; heir: number }[]
  const own = db.prepare('update blobs set owner = ? where id = ?')
  const weigh = db.prepare('update places set bytes = bytes + ? where id = ?')
  for (const { id: blob, stored, heir } of heirs) {
    own.run(heir, blob)
    weigh.run(stored, heir)
  }
}
