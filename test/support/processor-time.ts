import { readdirSync, readFileSync } from 'node:fs'
import { afterAll } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** Processor seconds of a test file: its worker's, and those of all processes that it started. */
    processorSeconds?: number
    /** The part of it that no process of ours has waited for. */
    orphanSeconds?: number
  }
}

/*
 * Each test file's meta tells how much processor time the file used. Linux only, from /proc. Processes that outlive
 * their parent are counted as last seen, so some milliseconds of them may be missing.
 */
const SAMPLE_MS = 250
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

interface Seen {
  readonly started: string
  readonly parent: number
  /** Ticks of the process and of those children that it has waited for. */
  readonly ticks: number
}

interface Meter {
  readonly seen: Map<number, Seen>
  /** Ticks of processes that ended without anybody of ours waiting for them. */
  orphaned: number
  /** What earlier files of this worker used, and the part of it that was orphaned. */
  counted: number
  orphansCounted: number
}

/** One for a worker: where files share one, this module is loaded again for each. */
const shared = globalThis as { carrelProcessorTime?: Meter }

function startMeter(): Meter {
  const meter: Meter = { seen: new Map(), orphaned: 0, counted: 0, orphansCounted: 0 }
  setInterval(() => sample(meter), SAMPLE_MS).unref()
  return meter
}

/** Looks at all descendants, also at those whose parent has gone; returns the ticks of what lives now. */
function sample(meter: Meter): number {
  const { seen } = meter
  const all = readTable()
  const mine = new Set<number>()
  const belongs = (pid: number, row: Seen): boolean =>
    row.parent === process.pid || mine.has(row.parent) || seen.get(pid)?.started === row.started
  // Parents have mostly smaller numbers than their children; the second round finds those that have not.
  for (let round = 0; round < 2; round += 1) {
    for (const [pid, row] of all) if (!mine.has(pid) && belongs(pid, row)) mine.add(pid)
  }
  const before = new Set(seen.keys())
  for (const [pid, row] of seen) {
    if (mine.has(pid)) continue
    seen.delete(pid)
    // A parent of ours has waited for it, and counts it as its own, even if that parent has gone as well.
    if (row.parent !== process.pid && !before.has(row.parent)) meter.orphaned += row.ticks
  }
  let ticks = 0
  for (const pid of mine) {
    const row = all.get(pid) as Seen
    seen.set(pid, row)
    ticks += row.ticks
  }
  return ticks
}

function readTable(): Map<number, Seen> {
  const table = new Map<number, Seen>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const row = readRow(pid)
    if (row) table.set(pid, row)
  }
  return table
}

/** proc(5): after the name in brackets come state, ppid; utime to cstime are fields 14 to 17, starttime is 22. */
function readRow(pid: number): Seen | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return { started: fields[19] ?? '', parent: Number(fields[1]), ticks }
  } catch {
    // Processes end between the listing and the look.
    return null
  }
}

/** Registers the count of the test file that is about to run. Called once for each file, by the setup of all tests. */
export function countProcessorTime(): void {
  if (process.platform !== 'linux') return
  shared.carrelProcessorTime ??= startMeter()
  const meter = shared.carrelProcessorTime
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures a hook takes
  afterAll(({}, suite) => {
    const living = sample(meter)
    const used = (readRow(process.pid)?.ticks ?? 0) + living + meter.orphaned
    suite.file.meta.processorSeconds = (used - meter.counted) / TICKS_PER_SECOND
    suite.file.meta.orphanSeconds = (meter.orphaned - meter.orphansCounted) / TICKS_PER_SECOND
    meter.counted = used
    meter.orphansCounted = meter.orphaned
  })
}
