export type ColoredLines = readonly (readonly { readonly content: string; readonly color?: string | undefined }[])[]

export interface ColorRequest {
  readonly id: number
  readonly text: string
  readonly language: string
}

export interface ColorAnswer {
  readonly id: number
  readonly lines: ColoredLines | null
}

let worker: Worker | null = null
let last = 0
const waiting = new Map<number, (lines: ColoredLines | null) => void>()

/**
 * Colours code in a worker: the first text in a language takes half a second, which would block the page. Returns null
 * for an unknown language and without workers.
 */
export function highlight(text: string, language: string): Promise<ColoredLines | null> {
  worker ??= open()
  last += 1
  const id = last
  return new Promise((resolve) => {
    waiting.set(id, resolve)
    worker?.postMessage({ id, text, language } satisfies ColorRequest)
  })
}

function open(): Worker {
  const made = new Worker(new URL('./highlight-worker.ts', import.meta.url), { type: 'module', name: 'colours' })
  made.onmessage = ({ data }: MessageEvent<ColorAnswer>) => {
    waiting.get(data.id)?.(data.lines)
    waiting.delete(data.id)
  }
  made.onerror = () => {
    for (const resolve of waiting.values()) resolve(null)
    waiting.clear()
  }
  return made
}
