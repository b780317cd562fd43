/** The parts of a tool call that the page reads. Items have them, and so has the call inside a question. */
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

/** Returns the text of a content part. Agents put command output into a code fence, which is removed. */
export function outputOf(part: unknown): { text: string; fenced: boolean } | null {
  const { type, content } = record(part)
  const { type: inner, text } = record(content)
  if (type !== 'content' || inner !== 'text' || typeof text !== 'string') return null
  const fence = /^\s*(`{3,})[\w-]*\n([\s\S]*?)\n?\1\s*$/.exec(text)
  return fence ? { text: fence[2] ?? '', fenced: true } : { text, fenced: false }
}

export const hasDiff = (tool: ToolLike): boolean => (tool.content ?? []).some((part) => diffOf(part) !== null)
export const hasOutput = (tool: ToolLike): boolean => (tool.content ?? []).length > 0

/** Returns the command line of a call that runs a command, from any of the fields that agents use. */
export function commandOf(tool: ToolLike): string | null {
  const { command, cmd } = record(tool.rawInput)
  const raw = command ?? cmd
  if (typeof raw === 'string') return raw
  if (Array.isArray(raw) && raw.every((part) => typeof part === 'string')) {
    const shell = /(^|\/)(ba|z)?sh$/.test(raw[0] ?? '') && /^-l?c$/.test(raw[1] ?? '')
    return shell && raw.length === 3 ? raw[2]! : raw.join(' ')
  }
  return null
}

/** Returns the exit code of a command, from any of the fields that agents use, or null. */
export function exitOf(tool: ToolLike): number | null {
  const { exitCode, exit_code: snake, exitStatus } = record(tool.rawOutput)
  const raw = exitCode ?? snake ?? record(exitStatus).exitCode
  return typeof raw === 'number' ? raw : null
}

/** Returns a path relative to the working copy. Paths outside of it stay absolute. */
export function shortPath(path: string, root: string): string {
  if (root !== '' && path === root) return '.'
  return root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}
