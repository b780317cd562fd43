import { diff3MergeRegions } from 'node-diff3'
import { type FileState, sameState } from './history.ts'

/** State of a path with its content. `bytes` returns null for folders and for content that is not kept. */
export interface Version {
  readonly state: FileState | null
  readonly bytes: () => Uint8Array | null
}

/** Result of a three-way merge. `as`: one version unchanged. `mixed`: content and mode from different sides. */
export type Merged =
  | { readonly kind: 'as'; readonly version: Version }
  | { readonly kind: 'mixed'; readonly mode: number; readonly content: Version }
  | { readonly kind: 'text'; readonly mode: number; readonly text: string }
  | { readonly kind: 'conflict'; readonly hunks: number }

export interface Three<T> {
  readonly base: T
  readonly ours: T
  readonly theirs: T
}

/** Larger texts are compared and merged as a whole. Bytes. */
export const MAX_TEXT_BYTES = 1_048_576

/**
 * Decodes a file exactly: byte order mark and line ends are kept. Returns null for invalid UTF-8, a zero byte, or a file
 * too large to compare by lines.
 */
export function textOf(bytes: Uint8Array): string | null {
  if (bytes.length > MAX_TEXT_BYTES || bytes.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Splits a text into lines with their line ends, which the last line may lack. */
export const linesOf = (text: string): string[] => (text === '' ? [] : text.split(/(?<=\n)/))

/** Maximum steps of a comparison, which is quadratic for texts without common lines or of equal lines only. */
const MOST_STEPS = 400_000_000

/** Merges by lines. Adjacent or overlapping changes conflict; equal changes do not. */
export function mergeTexts(three: Three<string>): { text: string } | { conflicts: number } {
  const { base, ours, theirs } = three
  if (ours === base || ours === theirs) return { text: theirs }
  if (theirs === base) return { text: ours }
  const { head, rest, tail } = trim({ base: linesOf(base), ours: linesOf(ours), theirs: linesOf(theirs) })
  if (stepsOf(rest) > MOST_STEPS) return { conflicts: 1 }
  const lines: string[][] = [head]
  let conflicts = 0
  for (const region of diff3MergeRegions(rest.ours, rest.base, rest.theirs)) {
    if (region.stable) lines.push(region.bufferContent)
    else if (region.aContent.join('') === region.bContent.join('')) lines.push(region.aContent)
    else conflicts += 1
  }
  if (conflicts > 0) return { conflicts }
  const merged = [...lines, tail].flat()
  // A former last line without a line end would run into the next line.
  const run = merged.findIndex((line) => !line.endsWith('\n'))
  return run >= 0 && run < merged.length - 1 ? { conflicts: 1 } : { text: merged.join('') }
}

/** Strips the common head and tail of all three, which need no comparison. */
function trim({ base, ours, theirs }: Three<string[]>): { head: string[]; rest: Three<string[]>; tail: string[] } {
  const shortest = Math.min(base.length, ours.length, theirs.length)
  const same = (line: string | undefined, a: string | undefined, b: string | undefined) => line === a && line === b
  let head = 0
  while (head < shortest && same(base[head], ours[head], theirs[head])) head += 1
  let tail = 0
  while (tail < shortest - head && same(base.at(-1 - tail), ours.at(-1 - tail), theirs.at(-1 - tail))) tail += 1
  const middle = (lines: string[]) => lines.slice(head, lines.length - tail)
  const rest = { base: middle(base), ours: middle(ours), theirs: middle(theirs) }
  return { head: base.slice(0, head), rest, tail: base.slice(base.length - tail) }
}

function stepsOf({ base, ours, theirs }: Three<string[]>): number {
  const times = new Map<string, number>()
  for (const line of base) times.set(line, (times.get(line) ?? 0) + 1)
  const of = (lines: string[]) =>
    lines.reduce((sum, line) => sum + (times.get(line) ?? 0) * 20, base.length * Math.min(base.length, lines.length))
  return of(ours) + of(theirs)
}

/**
 * Merges ours and theirs with their common base: a change of one side wins. Mode and content merge separately, content
 * by lines when all three are text. Different kinds conflict.
 */
export function mergeVersions(three: Three<Version>): Merged {
  const { base, ours, theirs } = three
  if (sameState(ours.state, base.state) || sameState(ours.state, theirs.state)) return { kind: 'as', version: theirs }
  if (sameState(theirs.state, base.state)) return { kind: 'as', version: ours }
  const states = { base: base.state, ours: ours.state, theirs: theirs.state }
  if (!alike(states)) return { kind: 'conflict', hunks: 1 }
  const mode = mergeOne({ base: states.base.mode, ours: states.ours.mode, theirs: states.theirs.mode })
  const side = sideOf({ base: states.base.digest, ours: states.ours.digest, theirs: states.theirs.digest })
  if (mode === null) return { kind: 'conflict', hunks: 1 }
  if (side !== null) return { kind: 'mixed', mode, content: three[side] }
  return mergeContent(three, states.ours.kind, mode)
}

function mergeContent({ base, ours, theirs }: Three<Version>, kind: FileState['kind'], mode: number): Merged {
  if (kind !== 'file') return { kind: 'conflict', hunks: 1 }
  const read = (version: Version) => {
    const bytes = version.bytes()
    return bytes && textOf(bytes)
  }
  const texts = { base: read(base), ours: read(ours), theirs: read(theirs) }
  if (texts.base === null || texts.ours === null || texts.theirs === null) return { kind: 'conflict', hunks: 1 }
  const merged = mergeTexts({ base: texts.base, ours: texts.ours, theirs: texts.theirs })
  return 'text' in merged ? { kind: 'text', mode, text: merged.text } : { kind: 'conflict', hunks: merged.conflicts }
}

function alike(states: Three<FileState | null>): states is Three<FileState> {
  const { base, ours, theirs } = states
  return base !== null && base.kind === ours?.kind && base.kind === theirs?.kind
}

/** Returns the winning side when at most one side changed the value, else null. */
function sideOf<T>({ base, ours, theirs }: Three<T>): 'ours' | 'theirs' | null {
  if (theirs === base || ours === theirs) return 'ours'
  return ours === base ? 'theirs' : null
}

function mergeOne(three: Three<number>): number | null {
  const side = sideOf(three)
  return side && three[side]
}
