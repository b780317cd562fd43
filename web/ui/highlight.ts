export type Lines = readonly (readonly { readonly content: string; readonly color?: string | undefined }[])[]

export interface Wanted {
  readonly id: number
  readonly text: string
  readonly language: string
}

export interface Colored {
  readonly id: number
  readonly lines: Lines | null
}

let worker: Worker | null = null
let last = 0
const waiting = new Map<number, (lines: Lines | null) => void>()

/**
 * Colours code beside the page: the first text in a language costs half a second, which the page has not.
 * Null for a language not known here, and where it cannot be done.
 */
export function highlight(text: string, language: string): Promise<Lines | null> {
  worker ??= open()
  last += 1
  const id = last
  return new Promise((resolve) => {
    waiting.set(id, resolve)
    worker?.postMessage({ id, text, language } satisfies Wanted)
  })
}

function open(): Worker {
  const made = new Worker(new URL('./highlight-worker.ts', import.meta.url), { type: 'module', name: 'colours' })
  made.onmessage = ({ data }: MessageEvent<Colored>) => {
    waiting.get(data.id)?.(data.lines)
    waiting.delete(data.id)
  }
  made.onerror = () => {
    for (const resolve of waiting.values()) resolve(null)
    waiting.clear()
  }
  return made
}
