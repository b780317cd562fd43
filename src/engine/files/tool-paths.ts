import { posix } from 'node:path'
import type { FilePath } from '../../model/files/history.ts'

/** ACP kinds of tool calls that do not write. */
const READING = new Set(['read', 'search', 'think', 'fetch', 'switch_mode'])
/** ACP kinds of tool calls that write the paths that they name. */
const WRITING = new Set(['edit', 'delete', 'move'])

/** The paths that a run's tool calls write and read, and the moments after which files may have changed. */
export interface ToolPaths {
  /** Takes an ACP update. `ended`: a call that may have written is over. `names`: new paths that a call will write. */
  hear(update: unknown): { readonly ended: boolean; readonly names: readonly FilePath[] }
  /** Notes a write through a file request of Carrel. */
  wrote(path: FilePath): void
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
  const touched = new Map<FilePath, number>()
  let through = new Set<FilePath>()
  const writes = ({ kind, diffs }: Call) => diffs || (kind !== null && WRITING.has(kind))

  const callOf = (id: string): Call => {
    const known = calls.get(id)
    if (known) return known
    const fresh: Call = { kind: null, paths: new Set(), diffs: false, over: false }
    calls.set(id, fresh)
    return fresh
  }

  const named = (): FilePath[] => {
    const writing = [...calls.values()].filter(writes)
    return [...new Set([...through, ...writing.flatMap(({ paths }) => [...paths])])]
  }

  const hear: ToolPaths['hear'] = (update) => {
    const fields = fieldsOf(update)
    const kind = fields.sessionUpdate
    if ((kind !== 'tool_call' && kind !== 'tool_call_update') || typeof fields.toolCallId !== 'string') return NOTHING
    const call = callOf(fields.toolCallId)
    if (typeof fields.kind === 'string') call.kind = fields.kind
    const content = listOf(fields.content).filter((part) => fieldsOf(part).type === 'diff')
    if (content.length > 0) call.diffs = true
    const fresh: FilePath[] = []
    for (const part of [...listOf(fields.locations), ...content]) {
      const { path } = fieldsOf(part)
      const inside = typeof path === 'string' ? toPath(path) : null
      if (inside === null) continue
      touched.set(inside, now())
      if (!call.paths.has(inside)) fresh.push(inside)
      call.paths.add(inside)
    }
    const over = fields.status === 'completed' || fields.status === 'failed'
    const ended = over && !call.over && (call.kind === null || !READING.has(call.kind))
    call.over ||= over
    return { ended, names: writes(call) ? fresh : [] }
  }

  return {
    hear,
    wrote(path) {
      through.add(path)
      touched.set(path, now())
    },
    read: (path) => void touched.set(path, now()),
    take() {
      const taken = named()
      through = new Set()
      for (const [id, call] of calls) if (call.over) calls.delete(id)
      return taken
    },
    named,
    since: (at) => [...touched].flatMap(([path, when]) => (when >= at ? [path] : [])),
  }
}

const NOTHING = { ended: false, names: [] }

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
