import { CLIP_BYTES } from './items.ts'

/**
 * Cuts the middle out of the longest texts inside a value until each is at most `CLIP_BYTES` characters.
 * The shape stays; the whole is in the log. Depth is bounded, since an agent may send anything.
 */
export function clip(value: unknown): { value: unknown; clippedBytes: number } {
  let clippedBytes = 0
  const walk = (part: unknown, depth: number): unknown => {
    if (typeof part === 'string') {
      if (part.length <= CLIP_BYTES) return part
      const head = part.slice(0, (CLIP_BYTES * 3) / 4)
      const tail = part.slice(part.length - CLIP_BYTES / 4)
      const left = part.length - head.length - tail.length
      clippedBytes += left
      return `${head}\n[... ${left} characters left out here; the log keeps them ...]\n${tail}`
    }
    if (part === null || typeof part !== 'object') return part
    if (depth > 12) return '[nested too deeply to show]'
    if (Array.isArray(part)) return part.map((each) => walk(each, depth + 1))
    return Object.fromEntries(Object.entries(part).map(([key, each]) => [key, walk(each, depth + 1)]))
  }
  return { value: walk(value, 0), clippedBytes }
}
