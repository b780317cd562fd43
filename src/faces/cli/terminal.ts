import { once } from 'node:events'
import Table from 'cli-table3'
import pico from 'picocolors'
import { type CommandFailure, toFailure } from './problem.ts'

/** Streams and facts of the process that a command uses. Tests pass their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `leave` when nobody reads stdout any more, as behind `| head`, instead of ending the process. */
  onUnread(leave: () => void): void
}

export type Colors = ReturnType<typeof pico.createColors>

/** Output of a command: results to stdout, other messages to stderr; one JSON document or JSONL for programs. */
export interface Terminal {
  readonly json: boolean
  /** A person uses the terminal and can answer questions. */
  readonly interactive: boolean
  readonly color: Colors
  /** Colours of stderr. */
  readonly asideColor: Colors
  now(): number
  /** Writes to stdout unchanged; resolves when the reader can take more. */
  write(text: string): Promise<void>
  /** Writes to stderr unchanged; nothing in JSON mode. */
  aside(text: string): void
  line(text: string): void
  /** Writes a line for a person to stderr; nothing in JSON mode. */
  note(text: string): void
  /** Writes a message about the command to stderr: `value` as one line in JSON mode, else the output of `human`. */
  tell(value: unknown, human: () => void): void
  /** Writes the result for a program as one line, in JSON mode only. */
  data(value: unknown): void
  /** Writes the result: `value` in JSON mode, else the output of `human`. */
  result(value: unknown, human: () => void): void
  table(head: readonly string[], rows: readonly (readonly string[])[], empty: string): void
  problem(error: unknown): CommandFailure
}

export function openTerminal(world: World, json: boolean): Terminal {
  const { stdout, stderr, stdin } = world
  const color = pico.createColors(!json && wantsColor(world, stdout))
  const asideColor = pico.createColors(!json && wantsColor(world, stderr))
  const line = (text: string): void => void stdout.write(`${text}\n`)
  const note = (text: string): void => void (json || stderr.write(`${text}\n`))
  return {
    json,
    interactive: !json && Boolean(stdin.isTTY && stderr.isTTY),
    color,
    asideColor,
    now: world.now,
    line,
    note,
    write: (text) =>
      stdout.write(text) || stdout.errored ? Promise.resolve() : once(stdout, 'drain').then(nothing, nothing),
    aside: (text) => void (json || stderr.write(text)),
    tell: (value, human) => void (json ? stderr.write(`${JSON.stringify(value)}\n`) : human()),
    data: (value) => void (json && line(JSON.stringify(value))),
    result: (value, human) => (json ? line(JSON.stringify(value)) : human()),
    table: (head, rows, empty) => (rows.length === 0 ? note(empty) : line(drawTable(head, rows, color))),
    problem: (error) => {
      const problem = toFailure(error)
      if (json) stderr.write(`${JSON.stringify({ error: problem.error.toJSON() })}\n`)
      else stderr.write(`${asideColor.red('carrel:')} ${clean(problem.error.message)}\n`)
      return problem
    },
  }
}

const nothing = (): void => undefined

function wantsColor({ env }: World, stream: { isTTY?: boolean }): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return Boolean(stream.isTTY) && env.TERM !== 'dumb'
}

const BARE = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, '']),
)

function drawTable(head: readonly string[], rows: readonly (readonly string[])[], color: Colors): string {
  const table = new Table({
    head: head.map((cell) => color.dim(cell)),
    chars: { ...BARE, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map((cell) => oneLine(cell)))
  return table
    .toString()
    .split('\n')
    .map((row) => row.trimEnd())
    .join('\n')
}

/**
 * Removes control characters except line ends and tabs from a foreign text: an agent must not move the cursor, rename
 * the window or hide its output.
 */
export const clean = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '')

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** Shortens a text to one line of at most `max` characters. */
export function short(text: string, max: number): string {
  const line = clean(oneLine(text))
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`
}

/** Formats the time since `at`: `12 s`, `5 min`, `3 h`, `2 d`. */
export const ago = (at: number | null, now: number): string => (at === null ? '' : span(Math.max(0, now - at)))

export function span(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 129_600_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}
