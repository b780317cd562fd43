import { posix } from 'node:path'
import type { FilePath } from '../../model/history.ts'

/** Kinds of ACP that say of themselves that they only look. */
const LOOKING = new Set(['read', 'search', 'think', 'fetch', 'switch_mode'])
/** Kinds whose paths are what they write. */
const WRITING = new Set(['edit', 'delete', 'move'])

/** What a run's tool calls say about files: which paths they write, which they read, and when one may have written. */
export interface ToolPaths {
  /** Takes an ACP update as said. `ended`: a call that may have written is over. `names`: paths it is about to write. */
  hear(update: unknown): { readonly ended: boolean; readonly names: readonly FilePath[] }
  /** A path that went through Carrel's own file requests. */
  wrote(path: FilePath): void
  read(path: FilePath): void
  /**
   * Named as written since the last time this was asked. A call that goes on keeps its names, since it may write after
   * this look.
   */
  take(): FilePath[]
  /** The same, and it may be asked again. */
  named(): FilePath[]
  /** Read or written since `at`, ms. */
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

/** @param toPath a path as the agent says it, inside the place; null where it is outside */
export function createToolPaths(toPath: (said: string) => FilePath | null, now: () => number): ToolPaths {
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
    const said = fieldsOf(update)
    const kind = said.sessionUpdate
    if ((kind !== 'tool_call' && kind !== 'tool_call_update') || typeof said.toolCallId !== 'string') return NOTHING
    const call = callOf(said.toolCallId)
    if (typeof said.kind === 'string') call.kind = said.kind
    const content = listOf(said.content).filter((part) => fieldsOf(part).type === 'diff')
    if (content.length > 0) call.diffs = true
    const fresh: FilePath[] = []
    for (const part of [...listOf(said.locations), ...content]) {
      const { path } = fieldsOf(part)
      const inside = typeof path === 'string' ? toPath(path) : null
      if (inside === null) continue
      touched.set(inside, now())
      if (!call.paths.has(inside)) fresh.push(inside)
      call.paths.add(inside)
    }
    const over = said.status === 'completed' || said.status === 'failed'
    const ended = over && !call.over && (call.kind === null || !LOOKING.has(call.kind))
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

/** Makes paths that an agent says into paths of the place, whichever of its folders they are said in. */
export function pathsInside(...folders: readonly string[]): (said: string) => FilePath | null {
  return (said) => {
    const whole = posix.normalize(said.startsWith('/') ? said : posix.join(folders[0] ?? '/', said))
    const folder = folders.find((each) => whole.startsWith(`${each}/`))
    return folder === undefined ? null : whole.slice(folder.length + 1).replace(/\/$/, '') || null
  }
}

const fieldsOf = (value: unknown): Fields => (value !== null && typeof value === 'object' ? (value as Fields) : {})
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
