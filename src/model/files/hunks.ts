import { structuredPatch } from 'diff'
import { CarrelError } from '../errors.ts'
import type { FileDiff, FilePath, Hunk } from './history.ts'
import { linesOf, MAX_TEXT_BYTES, textOf, type Version } from './merge.ts'

const CONTEXT = 3
/** Maximum number of changed lines; above it the whole text is one hunk. */
const MOST_EDITS = 1_000

/** Returns the hunks between two texts, in order. A selection names a hunk by its index. */
export function hunksOf(before: string, after: string): Hunk[] {
  const patch = structuredPatch('', '', before, after, '', '', { context: CONTEXT, maxEditLength: MOST_EDITS })
  if (!patch) return [wholeHunk(before, after)]
  return patch.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
    oldStart: oldLines === 0 ? oldStart - 1 : oldStart,
    oldLines,
    newStart: newLines === 0 ? newStart - 1 : newStart,
    newLines,
    lines,
    author: null,
  }))
}

function wholeHunk(before: string, after: string): Hunk {
  const [cut, added] = [linesOf(before), linesOf(after)]
  const mark = (sign: string) => (line: string) =>
    line.endsWith('\n') ? [sign + line.slice(0, -1)] : [sign + line, '\\ No newline at end of file']
  return {
    oldStart: cut.length === 0 ? 0 : 1,
    oldLines: cut.length,
    newStart: added.length === 0 ? 0 : 1,
    newLines: added.length,
    lines: [...cut.flatMap(mark('-')), ...added.flatMap(mark('+'))],
    author: null,
  }
}

/** Applies selected hunks of `hunksOf(now, next)` to `now`: all hunks give `next`, none gives `now`. */
export function pickHunks(now: string, next: string, indexes: readonly number[]): string {
  const hunks = hunksOf(now, next)
  const stranger = indexes.find((index) => index >= hunks.length)
  if (stranger !== undefined)
    throw new CarrelError('bad_input', `There is no hunk ${stranger}: the diff has ${hunks.length}, counted from 0.`)
  const [from, to] = [linesOf(now), linesOf(next)]
  const first = (start: number, lines: number) => (lines === 0 ? start : start - 1)
  const picked: string[] = []
  let at = 0
  for (const [index, hunk] of hunks.entries()) {
    const start = first(hunk.oldStart, hunk.oldLines)
    picked.push(...from.slice(at, start))
    at = start + hunk.oldLines
    const begin = first(hunk.newStart, hunk.newLines)
    if (indexes.includes(index)) picked.push(...to.slice(begin, begin + hunk.newLines))
    else picked.push(...from.slice(start, at))
  }
  return [...picked, ...from.slice(at)].join('')
}

/** Compares two versions of a path. The hunks have no authors. */
export function compareVersions(path: FilePath, before: Version, after: Version): FileDiff {
  const states = { path, before: before.state, after: after.state }
  const bare = (content: FileDiff['content']): FileDiff => ({ ...states, content, hunks: [], texts: null })
  if (Math.max(before.state?.size ?? 0, after.state?.size ?? 0) > MAX_TEXT_BYTES) return bare('large')
  const [old, young] = [bytesOf(before), bytesOf(after)]
  if (old === null || young === null) return bare('gone')
  const texts = { before: textOf(old), after: textOf(young) }
  if (texts.before === null || texts.after === null) return bare('binary')
  const [from, to] = [texts.before, texts.after]
  return { ...states, content: 'text', hunks: hunksOf(from, to), texts: { before: from, after: to } }
}

/** Returns the content: empty for folders and missing paths, null when the content is not kept. */
const bytesOf = ({ state, bytes }: Version): Uint8Array | null =>
  state === null || state.kind === 'folder' ? new Uint8Array() : bytes()
