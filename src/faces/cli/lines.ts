import { createInterface } from 'node:readline'
import type { World } from './terminal.ts'

/** Reads input of a person line by line. */
export interface LineReader {
  /** Asks for one line. Returns null when the input ended or `signal` aborted. */
  ask(prompt: string, signal: AbortSignal): Promise<string | null>
  /** Shows the prompt for unsolicited lines. */
  invite(prompt: string): void
  close(): void
}

interface LineHandlers {
  /** Called for Ctrl-C, which a terminal sends to its reader instead of the process. */
  readonly onInterrupt: () => void
  readonly onLine?: (line: string) => void
  readonly onEnd?: () => void
}

/** Opens a reader of lines. While a question is open, the next line is its answer. */
export function openLines({ stdin, stderr }: World, { onInterrupt, onLine, onEnd }: LineHandlers): LineReader {
  const reader = createInterface({ input: stdin, output: stderr, terminal: Boolean(stdin.isTTY), prompt: '' })
  let waiting: ((line: string | null) => void) | null = null
  const give = (line: string | null): boolean => {
    const take = waiting
    waiting = null
    take?.(line)
    return take !== null
  }
  reader.on('SIGINT', onInterrupt)
  reader.on('line', (line) => give(line) || onLine?.(line))
  reader.on('close', () => {
    give(null)
    onEnd?.()
  })
  return {
    ask: (prompt, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(null)
        const abort = (): void => void give(null)
        signal.addEventListener('abort', abort, { once: true })
        waiting = (line) => {
          signal.removeEventListener('abort', abort)
          resolve(line)
        }
        reader.setPrompt(prompt)
        reader.prompt()
      }),
    invite: (prompt) => {
      reader.setPrompt(prompt)
      reader.prompt(true)
    },
    close: () => reader.close(),
  }
}

/** Asks a person with a reader of its own; Ctrl-C aborts `signal`. */
export async function withLines<T>(
  world: World,
  use: (lines: LineReader, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const leaving = new AbortController()
  const lines = openLines(world, { onInterrupt: () => leaving.abort() })
  return use(lines, leaving.signal).finally(() => lines.close())
}
