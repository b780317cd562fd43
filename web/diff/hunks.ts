import type { ChangeData, HunkData } from 'react-diff-view'
import type { Author, FileDiff, Hunk } from '../../src/model/files/history.ts'

/** A hunk in the form of the diff component. */
export function toHunkData({ oldStart, oldLines, newStart, newLines, lines }: Hunk): HunkData {
  let before = oldStart
  let after = newStart
  const changes: ChangeData[] = []
  for (const line of lines) {
    const content = line.slice(1)
    if (line[0] === '+') changes.push({ type: 'insert', isInsert: true, content, lineNumber: after++ })
    else if (line[0] === '-') changes.push({ type: 'delete', isDelete: true, content, lineNumber: before++ })
    else if (line[0] === ' ')
      changes.push({ type: 'normal', isNormal: true, content, oldLineNumber: before++, newLineNumber: after++ })
  }
  const content = `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`
  return { content, oldStart, oldLines, newStart, newLines, changes }
}

export function countLines(hunks: readonly Hunk[]) {
  const all = hunks.flatMap(({ lines }) => lines)
  return {
    added: all.filter((line) => line.startsWith('+')).length,
    cut: all.filter((line) => line.startsWith('-')).length,
  }
}

/** The original hunks in this hunk: unfolded lines join several hunks. */
export const indexesIn = (hunks: readonly Hunk[], shown: HunkData): number[] =>
  hunks.flatMap((hunk, at) => {
    const from = Math.max(1, hunk.newStart)
    return from >= shown.newStart && from <= Math.max(shown.newStart, shown.newStart + shown.newLines) ? [at] : []
  })

/** Whether a side ends without a newline, which no line shows. */
export const endsOpen = (hunks: readonly Hunk[]): boolean =>
  hunks.some(({ lines }) => lines.some((line) => line.startsWith('\\')))

export type DiffKind = 'modify' | 'add' | 'delete'
export const kindOf = ({ before, after }: Pick<FileDiff, 'before' | 'after'>): DiffKind =>
  before === null ? 'add' : after === null ? 'delete' : 'modify'

export const languageOf = (path: string): string =>
  /(^|\/)Dockerfile$/.test(path) ? 'docker' : (/\.(\w{1,10})$/.exec(path)?.[1] ?? '')

/** Returns the authors of the hunks without repetition. */
export function authorsOf(hunks: readonly Hunk[]): Author[] {
  const seen = new Map<string, Author>()
  for (const { author } of hunks) if (author) seen.set(JSON.stringify(author), author)
  return [...seen.values()]
}
