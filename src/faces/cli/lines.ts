import { createInterface } from 'node:readline'
import type { World } from './terminal.ts'

/** What a person types, a line at a time. */
export interface Lines {
  /** Asks for one line. Null when the input ended or `signal` fired. */
  ask(prompt: string, signal: AbortSignal): Promise<string | null>
  /** Shows the prompt for lines that nobody asked for. */
  invite(prompt: string): void
  close(): void
}

export interface Typing {
  /** Ctrl-C, which a terminal that is being read from gives to the reader instead of the process. */
  readonly onInterrupt: () => void
  readonly onLine?: (line: string) => void
  readonly onEnd?: () => void
}

/** Reads lines; while a question is open, the next line is its answer. */
export function openLines({ stdin, stderr }: World, { onInterrupt, onLine, onEnd }: Typing): Lines {
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
