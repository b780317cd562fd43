import { useEffect, useState } from 'react'
import { texts } from '../texts/texts.ts'
import { CopyButton } from './CopyButton.tsx'
import { type ColoredLines, highlight } from './highlight.ts'

const LONGEST = 30_000
/** Streamed code is coloured after a pause: each pass takes longer than the last. ms. */
const REST_MS = 120

/** Code with syntax colours, plain until the highlighter has answered. */
export function Code({ text, language }: { text: string; language: string }) {
  const lines = useHighlighted(text, language)
  return (
    <figure className="code">
      <figcaption className="code-head">
        <span className="faint">{language || texts.ui.code.plain}</span>
        <CopyButton text={() => text} label={texts.ui.code.copy} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <pre className="scroll" tabIndex={0}>
        <code>{lines ? <ColorAnswer lines={lines} /> : text}</code>
      </pre>
    </figure>
  )
}

export function ColorAnswer({ lines }: { lines: ColoredLines }) {
  return lines.map((line, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place
    <span key={at}>
      {line.map(({ content, color }, part) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: nor has a token
        <span key={part} style={color ? { color } : undefined}>
          {content}
        </span>
      ))}
      {'\n'}
    </span>
  ))
}

/** Returns null until the colours have arrived, and for a language without colours. */
export function useHighlighted(text: string, language: string): ColoredLines | null {
  const [done, setDone] = useState<{ text: string; lines: ColoredLines } | null>(null)
  useEffect(() => {
    if (!language || text.length > LONGEST) return
    let wanted = true
    const timer = setTimeout(() => {
      void highlight(text, language).then((lines) => wanted && lines && setDone({ text, lines }))
    }, REST_MS)
    return () => {
      wanted = false
      clearTimeout(timer)
    }
  }, [text, language])
  return done?.text === text ? done.lines : null
}
