import { useMemo } from 'react'
import {
  type ChangeData,
  type HunkData,
  type HunkTokens,
  markEdits,
  pickRanges,
  type RangeTokenNode,
  tokenize,
} from 'react-diff-view'
import { useHighlighted } from '../ui/Code.tsx'
import type { ColoredLines } from '../ui/highlight.ts'

/** Larger diffs get no word marks: they would block the page. Colours and lines stay. */
const MOST_LINES = 3_000

interface ColourRange extends RangeTokenNode {
  readonly colour: string
}

/** Returns syntax colours, and marks for the words that differ within changed lines. Null without either. */
export function useTokens(
  hunks: HunkData[],
  texts: { readonly before: string; readonly after: string } | null,
  language: string,
): HunkTokens | null {
  const before = useHighlighted(texts?.before ?? '', language)
  const after = useHighlighted(texts?.after ?? '', language)
  return useMemo(() => {
    const lines = hunks.reduce((sum, { changes }) => sum + changes.length, 0)
    if (lines === 0 || lines > MOST_LINES) return null
    const enhancers = [pickRanges(rangesOf(before), rangesOf(after)), markEdits(hunks.map(facing), { type: 'line' })]
    return tokenize(hunks, { enhancers, ...(texts?.before && { oldSource: texts.before }) })
  }, [hunks, texts, before, after])
}

/** Compares words only in blocks with equally many removed and added lines: elsewhere equal words mean nothing. */
function facing(hunk: HunkData): HunkData {
  const changes: ChangeData[] = []
  let block: ChangeData[] = []
  const settle = (): void => {
    const cut = block.filter(({ type }) => type === 'delete').length
    if (cut * 2 === block.length) changes.push(...block)
    block = []
  }
  for (const change of hunk.changes) {
    if (change.type !== 'normal') block.push(change)
    else {
      settle()
      changes.push(change)
    }
  }
  settle()
  return { ...hunk, changes }
}

function rangesOf(lines: ColoredLines | null): ColourRange[] {
  if (!lines) return []
  return lines.flatMap((line, at) => {
    let start = 0
    return line.flatMap(({ content, color }): ColourRange[] => {
      const range = { type: 'colour', colour: color ?? '', lineNumber: at + 1, start, length: content.length }
      start += content.length
      return color && content.trim() ? [range] : []
    })
  })
}
