import { readdirSync, readFileSync } from 'node:fs'
import { afterAll } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** Processor seconds of a test file: those of its worker and of all processes that it started. */
    processorSeconds?: number
    /** The seconds of processes for which none of our processes waited. */
    orphanSeconds?: number
  }
}

/*
 * Measures the processor time of each test file into its meta. Linux only, from /proc. A process that outlives its
 * parent counts as last sampled, so some of its milliseconds may be missing.
 */
const SAMPLE_MS = 250
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

interface Seen {
  readonly started: string
  readonly parent: number
  /** Ticks of the process and of the children for which it has waited. */
  readonly ticks: number
}

interface Meter {
  readonly seen: Map<number, Seen>
  /** Ticks of ended processes for which no process of ours waited. */
  orphaned: number
  /** Ticks of earlier files of this worker, and the orphaned part of them. */
  counted: number
  orphansCounted: number
}

/** One meter for each worker: files that share a worker load this module again. */
const shared = globalThis as { carrelProcessorTime?: Meter }

function startMeter(): Meter {
  const meter: Meter = { seen: new Map(), orphaned: 0, counted: 0, orphansCounted: 0 }
  setInterval(() => sample(meter), SAMPLE_MS).unref()
  return meter
}

/** Samples all descendants, also those whose parent has gone; returns the ticks of living processes. */
function sample(meter: Meter): number {
  const { seen } = meter
  const all = readTable()
  const mine = new Set<number>()
  const belongs = (pid: number, row: Seen): boolean =>
    row.parent === process.pid || mine.has(row.parent) || seen.get(pid)?.started === row.started
  // A parent's number is mostly smaller than its child's; the second round finds the other children.
  for (let round = 0; round < 2; round += 1) {
    for (const [pid, row] of all) if (!mine.has(pid) && belongs(pid, row)) mine.add(pid)
  }
  const before = new Set(seen.keys())
  for (const [pid, row] of seen) {
    if (mine.has(pid)) continue
    seen.delete(pid)
    // A parent of ours has waited for this process and counts its ticks, even if that parent has gone as well.
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

/**
 * Reads a row of /proc. Per proc(5), state and ppid follow the name in brackets; utime to cstime are fields 14 to 17,
 * starttime is 22.
 */
function readRow(pid: number): Seen | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return { started: fields[19] ?? '', parent: Number(fields[1]), ticks }
  } catch {
    // A process may end between the listing and the read.
    return null
  }
}

/** Registers the count of the current test file. Called once for each file, by the setup of all tests. */
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
