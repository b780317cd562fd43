import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { absentAsNullSync, isAbsent } from '../primitives/absent-as-null.ts'
import { errorCode } from '../primitives/error-code.ts'

/** Process at one moment. `startTicks` and the boot id make a pid unique: pids are recycled, starts are not. */
export interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** Clock ticks since boot on Linux, seconds since 1970 elsewhere: compare for equality only. */
  readonly startTicks: number
  /** Age of the process. Exact to 10 ms on Linux, to a second elsewhere. */
  readonly ageMs: number
  readonly zombie: boolean
  readonly command: string
}

/** Identity of a process among all that ever had its pid. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number
  readonly bootId: string
}

/** Variable that every process of a tree inherits, to find processes that left their parents and groups. */
export const TREE_VARIABLE = 'CARREL_TREE'

const TICKS_PER_SECOND = 100
const run = promisify(execFile)
const linux = process.platform === 'linux'

/** Returns the id of this boot of the machine: processes of an earlier boot are dead by definition. */
export const bootId = (): string =>
  absentAsNullSync(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? 'unknown'

let pending: Promise<ProcessRow[]> | null = null

/**
 * Lists every process that this user can see. Costs some milliseconds: not for hot paths. All callers in one turn of
 * the event loop share one listing, taken after the last call: ending 50 trees at once costs as much as one.
 */
export function processTable(): Promise<ProcessRow[]> {
  pending ??= new Promise((resolve, reject) => {
    setImmediate(() => {
      pending = null
      scan().then(resolve, reject)
    })
  })
  return pending
}

async function scan(): Promise<ProcessRow[]> {
  if (!linux) return readPs()
  const uptimeMs = readUptimeMs()
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name), uptimeMs))
    .filter((row) => row !== null)
}

/** Returns the process with this pid, or null. Synchronous on Linux, so that a child is known before it can act. */
export const processNow = (pid: number): ProcessRow | null => (linux ? readStat(pid, readUptimeMs()) : null)

/** Whether this process still runs. A zombie does not count, because it can do nothing. */
export function stillRuns(identity: ProcessIdentity, table: readonly ProcessRow[]): boolean {
  if (identity.bootId !== bootId()) return false
  const row = table.find((one) => one.pid === identity.pid)
  return row !== undefined && !row.zombie && (identity.startTicks === 0 || row.startTicks === identity.startTicks)
}

/** Returns all processes below `pid`, nearest first. */
export function below(pid: number, table: readonly ProcessRow[]): ProcessRow[] {
  const children = Map.groupBy(table, (row) => row.parent)
  const found: ProcessRow[] = []
  const queue = [pid]
  while (queue.length > 0) {
    for (const child of children.get(queue.shift() as number) ?? []) {
      found.push(child)
      queue.push(child.pid)
    }
  }
  return found
}

/** Returns the processes with this tree's mark in their environment, wherever they moved. Linux only. */
export function marked(tree: string, table: readonly ProcessRow[]): readonly ProcessRow[] {
  if (!linux) return []
  let index = marksOf.get(table)
  if (!index) {
    index = Map.groupBy(table, (row) => markOf(row.pid))
    marksOf.set(table, index)
  }
  return index.get(tree) ?? []
}

/** Whether a process belongs to a tree of Carrel. Linux only. */
export const isMarked = (pid: number): boolean => markOf(pid) !== ''

/** Marks of the processes, read once for each listing. */
const marksOf = new WeakMap<readonly ProcessRow[], Map<string, ProcessRow[]>>()

function markOf(pid: number): string {
  const entry = readOf(pid, 'environ') ?? ''
  return new RegExp(`(?:^|\\0)${TREE_VARIABLE}=([^\\0]*)`).exec(entry)?.[1] ?? ''
}

const NOT_SEEN = new Set(['ESRCH', 'EACCES', 'EPERM'])

/** Returns a file of a process; null when it has ended or this user may not see it. */
function readOf(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch (thrown) {
    if (isAbsent(thrown) || NOT_SEEN.has(errorCode(thrown))) return null
    throw thrown
  }
}

const readUptimeMs = (): number => Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000

function readStat(pid: number, uptimeMs: number): ProcessRow | null {
  const line = readOf(pid, 'stat')
  if (line === null) return null
  // The name is in parentheses and may itself contain parentheses and spaces.
  const close = line.lastIndexOf(')')
  const fields = line.slice(close + 2).split(' ')
  const startTicks = Number(fields[19])
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startTicks,
    ageMs: uptimeMs - (startTicks * 1000) / TICKS_PER_SECOND,
    zombie: fields[0] === 'Z' || fields[0] === 'X',
    command: line.slice(line.indexOf('(') + 1, close),
  }
}

async function readPs(): Promise<ProcessRow[]> {
  const columns = 'pid=,ppid=,pgid=,stat=,etime=,comm='
  const { stdout } = await run('ps', ['-axo', columns], { maxBuffer: 16 << 20 })
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.*)$/.exec(line)
    if (!match) return []
    const [, pid, parent, group, state = '', elapsed = '', command = ''] = match
    const ageMs = elapsedMs(elapsed)
    // `ps` reports the age in whole seconds only: the pid alone is then the identity, checked again by its group.
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        startTicks: 0,
        ageMs,
        zombie: state[0] === 'Z',
        command,
      },
    ]
  })
}

/** Parses `[[days-]hours:]minutes:seconds` of `ps`. */
function elapsedMs(text: string): number {
  const [days, clock] = text.includes('-') ? text.split('-') : ['0', text]
  const seconds = (clock ?? '0').split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return (Number(days) * 86_400 + seconds) * 1000
}
