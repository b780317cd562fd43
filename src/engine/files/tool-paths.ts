import { posix } from 'node:path'
import type { FilePath } from '../../model/files/history.ts'

/** ACP kinds of tool calls that do not write. */
const READING = new Set(['read', 'search', 'think', 'fetch', 'switch_mode'])
/** ACP kinds of tool calls that write the paths that they name. */
const WRITING = new Set(['edit', 'delete', 'move'])

/** The paths that a run's tool calls write and read, and the moments after which files may have changed. */
export interface ToolPaths {
  /**
   * Takes an ACP update. `ended`: a call that may have written is over. `late`: it was never reported before. `names`:
   * new paths that a call will write.
   */
  hear(update: unknown): { readonly ended: boolean; readonly late: boolean; readonly names: readonly FilePath[] }
  /** Whether a call that may write has begun and is not over, besides these. */
  isRunning(besides?: ReadonlySet<string>): boolean
  /** Notes that Carrel is about to write a path for the agent: it stays named until the write is over. */
  writes(path: FilePath): void
  /** Notes the end of such a write. */
  wrote(path: FilePath, how: 'written' | 'failed'): void
  /** Notes a read through a file request of Carrel. */
  read(path: FilePath): void
  /** Returns the paths that were named as written since the last `take`. A call keeps its paths until it is over. */
  take(): FilePath[]
  /** Returns the same paths and keeps them for the next `take`. */
  named(): FilePath[]
  /** Returns paths that were read or written since `at`, ms. */
  since(at: number): FilePath[]
}

interface Call {
  kind: string | null
  paths: Set<FilePath>
  diffs: boolean
  over: boolean
}

interface Fields {
  readonly [key: string]: unknown
}

/** @param toPath turns a path of the agent into a path inside the place; null for one outside */
export function createToolPaths(toPath: (path: string) => FilePath | null, now: () => number): ToolPaths {
  const calls = new Map<string, Call>()
  /** Calls that may write and are not over. */
  const running = new Set<string>()
  const touched = new Map<FilePath, number>()
  /** Paths that Carrel writes for the agent, and whether the write is over. */
  const through = new Map<FilePath, 'open' | 'over'>()
  const writes = ({ kind, diffs }: Call) => diffs || (kind !== null && WRITING.has(kind))

  const named = (): FilePath[] => {
    const writing = [...calls.values()].filter(writes)
    return [...new Set([...through.keys(), ...writing.flatMap(({ paths }) => [...paths])])]
  }

  const hear: ToolPaths['hear'] = (update) => {
    const fields = fieldsOf(update)
    const kind = fields.sessionUpdate
    if ((kind !== 'tool_call' && kind !== 'tool_call_update') || typeof fields.toolCallId !== 'string') return NOTHING
    const late = !calls.has(fields.toolCallId)
    const call = calls.get(fields.toolCallId) ?? { kind: null, paths: new Set(), diffs: false, over: false }
    calls.set(fields.toolCallId, call)
    if (typeof fields.kind === 'string') call.kind = fields.kind
    const { paths, hasDiff } = pathsOf(fields, toPath)
    call.diffs ||= hasDiff
    const fresh: FilePath[] = []
    for (const inside of paths) {
      touched.set(inside, now())
      if (!call.paths.has(inside)) fresh.push(inside)
      call.paths.add(inside)
    }
    const over = fields.status === 'completed' || fields.status === 'failed'
    const ended = over && !call.over && mayWrite(call)
    call.over ||= over
    if (call.over || !mayWrite(call)) running.delete(fields.toolCallId)
    else running.add(fields.toolCallId)
    return { ended, late: late && ended, names: writes(call) ? fresh : [] }
  }

  return {
    hear,
    isRunning: (besides) => (besides ? running.keys().some((id) => !besides.has(id)) : running.size > 0),
    writes: (path) => void through.set(path, 'open'),
    wrote(path, how) {
      if (how === 'failed') return void (through.get(path) === 'open' && through.delete(path))
      through.set(path, 'over')
      touched.set(path, now())
    },
    read: (path) => void touched.set(path, now()),
    take() {
      const taken = named()
      for (const [path, state] of through) if (state === 'over') through.delete(path)
      for (const [id, call] of calls) if (call.over) calls.delete(id)
      return taken
    },
    named,
    since: (at) => [...touched].flatMap(([path, when]) => (when >= at ? [path] : [])),
  }
}

/** The paths inside the place that an update of a call names. */
function pathsOf({ content, locations }: Fields, toPath: (path: string) => FilePath | null) {
  const diffs = listOf(content).filter((part) => fieldsOf(part).type === 'diff')
  const named = [...listOf(locations), ...diffs].map((part) => fieldsOf(part).path)
  const paths = named.flatMap((path) => (typeof path === 'string' ? (toPath(path) ?? []) : []))
  return { paths, hasDiff: diffs.length > 0 }
}

const NOTHING = { ended: false, late: false, names: [] }

const mayWrite = ({ kind }: Call): boolean => kind === null || !READING.has(kind)

/** Turns paths of an agent into paths of the place. Absolute paths may begin with any of the place's `folders`. */
export function pathsInside(...folders: readonly string[]): (path: string) => FilePath | null {
  return (path) => {
    const whole = posix.normalize(path.startsWith('/') ? path : posix.join(folders[0] ?? '/', path))
    const folder = folders.find((each) => whole.startsWith(`${each}/`))
    return folder === undefined ? null : whole.slice(folder.length + 1).replace(/\/$/, '') || null
  }
}

const fieldsOf = (value: unknown): Fields => (value !== null && typeof value === 'object' ? (value as Fields) : {})
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
