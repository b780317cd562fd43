import { CLIP_BYTES } from './items.ts'

/** Total budget for all texts of one value: a thousand texts just under the single limit would be too much. */
const ROOM = CLIP_BYTES * 8
/** Characters allowed per text once the budget is used up, so that short fields stay readable. */
const SHORT = 256
const MAX_ENTRIES = 2_000

/**
 * Cuts the middle out of long texts, and the end off long lists, inside a value. A text keeps at most `CLIP_BYTES`
 * characters and a note; all texts together keep about eight times that. The shape stays; the log keeps the whole.
 * Depth is bounded because an agent may send anything.
 * A picture over the limit loses its data, since half a picture is useless. `leftOut` keeps its size.
 * The picture is shown from the log and does not count as clipped.
 * @returns `clippedBytes`: the removed amount in UTF-16 units
 */
export function clip(value: unknown): { value: unknown; clippedBytes: number } {
  let clippedBytes = 0
  let room = ROOM
  const cutText = (text: string): string => {
    const most = Math.min(CLIP_BYTES, Math.max(room, SHORT))
    room -= Math.min(text.length, most)
    if (text.length <= most) return text
    const head = text.slice(0, wholeAt(text, Math.floor((most * 3) / 4)))
    const tail = text.slice(wholeAt(text, text.length - Math.floor(most / 4)))
    const left = text.length - head.length - tail.length
    clippedBytes += left
    return head + noteOf(left) + tail
  }
  const cutList = <T>(list: T[]): T[] => {
    if (list.length <= MAX_ENTRIES) return list
    clippedBytes += JSON.stringify(list.slice(MAX_ENTRIES)).length
    return list.slice(0, MAX_ENTRIES)
  }
  const walk = (part: unknown, depth: number): unknown => {
    if (typeof part === 'string') return cutText(part)
    if (part === null || typeof part !== 'object') return part
    if (depth > 12) return '[nested too deeply to show]'
    if (Array.isArray(part)) {
      const list = cutList(part)
      const kept = list.map((each) => walk(each, depth + 1))
      return list === part ? kept : [...kept, `[... ${part.length - list.length} entries left out here ...]`]
    }
    if (isLargePicture(part)) return { ...part, data: '', leftOut: part.data.length }
    return Object.fromEntries(cutList(Object.entries(part)).map(([key, each]) => [key, walk(each, depth + 1)]))
  }
  return { value: walk(value, 0), clippedBytes }
}

/**
 * Clips a text that goes on, as `clip` clips the whole of it. Null where the clipped text is none of these.
 * @param clipped the text until now, with `left` characters left out of its `at`
 */
export function clipMore(
  clipped: string,
  left: number,
  { from, at, text }: { readonly from: number; readonly at: number; readonly text: string },
): { value: string; clippedBytes: number } | null {
  if (left === 0) {
    if (clipped.length !== at) return null
    const { value, clippedBytes } = clip(clipped.slice(from) + text)
    return { value: value as string, clippedBytes }
  }
  const note = noteOf(left)
  const most = Math.floor((CLIP_BYTES * 3) / 4)
  // The cut may have spared a surrogate pair.
  const cut = [most, most - 1].find((each) => clipped.startsWith(note, each))
  if (from > 0 || cut === undefined) return null
  const head = clipped.slice(0, cut)
  const end = clipped.slice(head.length + note.length) + text
  const tail = end.slice(wholeAt(end, end.length - Math.floor(CLIP_BYTES / 4)))
  const now = at + text.length - head.length - tail.length
  return { value: head + noteOf(now) + tail, clippedBytes: now }
}

const noteOf = (left: number): string => `\n[... ${left} characters left out here; the log keeps them ...]\n`

function isLargePicture(part: object): part is { data: string } {
  const { type, data, mimeType } = part as Record<string, unknown>
  return type === 'image' && typeof data === 'string' && typeof mimeType === 'string' && data.length > CLIP_BYTES
}

/** Moves a cut that would split a surrogate pair. */
export function wholeAt(text: string, at: number): number {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at
}
