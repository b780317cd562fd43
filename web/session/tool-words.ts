/** What of a tool call the page reads; the item has it, and so has the call inside a question. */
export interface ToolLike {
  readonly title?: string | null
  readonly content?: readonly unknown[] | null
  readonly rawInput?: unknown
  readonly rawOutput?: unknown
  readonly toolKind?: string | null
}

export interface DiffPart {
  readonly path: string
  readonly oldText: string
  readonly newText: string
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}

export function diffOf(part: unknown): DiffPart | null {
  const { type, path, oldText, newText } = record(part)
  if (type !== 'diff') return null
  return { path: String(path ?? ''), oldText: String(oldText ?? ''), newText: String(newText ?? '') }
}

/** The text of a part that is text; agents put command output into a fence, which is taken off. */
export function outputOf(part: unknown): { text: string; fenced: boolean } | null {
  const { type, content } = record(part)
  const { type: inner, text } = record(content)
  if (type !== 'content' || inner !== 'text' || typeof text !== 'string') return null
  const fence = /^\s*(`{3,})[\w-]*\n([\s\S]*?)\n?\1\s*$/.exec(text)
  return fence ? { text: fence[2] ?? '', fenced: true } : { text, fenced: false }
}

export const hasDiff = (tool: ToolLike): boolean => (tool.content ?? []).some((part) => diffOf(part) !== null)
export const hasOutput = (tool: ToolLike): boolean => (tool.content ?? []).length > 0

/** The command line of a call that runs one, from the places where agents say it. */
export function commandOf(tool: ToolLike): string | null {
  const { command, cmd } = record(tool.rawInput)
  const said = command ?? cmd
  if (typeof said === 'string') return said
  if (Array.isArray(said) && said.every((part) => typeof part === 'string')) {
    const shell = /(^|\/)(ba|z)?sh$/.test(said[0] ?? '') && /^-l?c$/.test(said[1] ?? '')
    return shell && said.length === 3 ? said[2]! : said.join(' ')
  }
  return null
}

/** The exit code of a command, by the names agents give it; null where none is told. */
export function exitOf(tool: ToolLike): number | null {
  const { exitCode, exit_code: snake, exitStatus } = record(tool.rawOutput)
  const said = exitCode ?? snake ?? record(exitStatus).exitCode
  return typeof said === 'number' ? said : null
}

/** A path as people say it: from the place's folder on; what lies elsewhere in full. */
export function shortPath(path: string, root: string): string {
  if (root !== '' && path === root) return '.'
  return root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}
