import { structuredPatch } from 'diff'
import { memo, useMemo } from 'react'
import { texts } from '../../texts/texts.ts'
import { ColorAnswer, useHighlighted } from '../../ui/Code.tsx'
import type { ColoredLines } from '../../ui/highlight.ts'
import { useSession } from '../session-context.ts'
import { type DiffPart, shortPath } from './tool-details.ts'
import './diff.css'

interface Line {
  readonly mark: '+' | '-' | ' ' | '@'
  readonly text: string
  readonly before: number | null
  readonly after: number | null
}

/** A change of one file as a unified diff with the line numbers of both sides. */
export const InlineDiff = memo(function InlineDiff({ path, oldText, newText }: DiffPart) {
  const { root } = useSession()
  const lines = useMemo(() => linesOf(oldText, newText), [oldText, newText])
  const language = languageOf(path)
  const colours = { before: useHighlighted(oldText, language), after: useHighlighted(newText, language) }
  const added = lines?.filter(({ mark }) => mark === '+').length ?? 0
  const cut = lines?.filter(({ mark }) => mark === '-').length ?? 0
  return (
    <figure className="inline-diff">
      <figcaption>
        <span className="cut mono" title={path}>
          {shortPath(path, root)}
        </span>
        {oldText === '' && <span className="faint">{texts.transcript.diff.newFile}</span>}
        <span className="diff-add">+{added}</span>
        <span className="diff-cut">-{cut}</span>
      </figcaption>
      {lines === null && <p className="diff-note">{texts.transcript.diff.tooDifferent}</p>}
      {lines?.length === 0 && <p className="diff-note">{texts.transcript.diff.same}</p>}
      {lines && lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
        <div className="diff-lines scroll" tabIndex={0}>
          <table>
            <caption className="hidden">{texts.transcript.diff.title(path)}</caption>
            <tbody>
              {lines.map((line, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place
                <tr key={at} data-mark={line.mark}>
                  <td>{line.before}</td>
                  <td>{line.after}</td>
                  <td>{line.mark === '@' ? '' : line.mark}</td>
                  <td dir="ltr">
                    <Text line={line} colours={colours} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </figure>
  )
})

interface TextProps {
  readonly line: Line
  readonly colours: { readonly before: ColoredLines | null; readonly after: ColoredLines | null }
}

/** Colours a line as part of its whole text: a construct may begin above it. */
function Text({ line, colours }: TextProps) {
  const of = line.mark === '-' ? colours.before?.[line.before! - 1] : colours.after?.[line.after! - 1]
  return of && line.mark !== '@' ? <ColorAnswer lines={[of]} /> : line.text
}

const languageOf = (path: string): string => /\.(\w{1,10})$/.exec(path)?.[1] ?? ''

/** Returns null for texts whose comparison would block the page. */
function linesOf(oldText: string, newText: string): Line[] | null {
  const patch = structuredPatch('a', 'b', oldText, newText, '', '', { context: 3, timeout: 200 })
  if (!patch) return null
  return patch.hunks.flatMap((hunk, at) => {
    let before = hunk.oldStart
    let after = hunk.newStart
    const head: Line[] =
      at === 0 ? [] : [{ mark: '@', text: texts.transcript.diff.line(after), before: null, after: null }]
    const body = hunk.lines
      .filter((line) => !line.startsWith('\\'))
      .map((line): Line => {
        const mark = line[0] as '+' | '-' | ' '
        const text = line.slice(1)
        if (mark === '+') return { mark, text, before: null, after: after++ }
        if (mark === '-') return { mark, text, before: before++, after: null }
        return { mark, text, before: before++, after: after++ }
      })
    return [...head, ...body]
  })
}
