import { lazy, memo, Suspense } from 'react'
import './markdown.css'

const Rich = lazy(() => import('./RichMarkdown.tsx').then(({ RichMarkdown }) => ({ default: RichMarkdown })))

interface Props {
  readonly text: string
  /** More will come: what is cut in the middle is closed for the eye. */
  readonly streaming?: boolean
}

/** Markdown of an agent. Until the renderer is here the text stands as it is, so nothing waits for it. */
export const Markdown = memo(function Markdown({ text, streaming = false }: Props) {
  return (
    <div className="md">
      <Suspense fallback={<p className="md-plain">{text}</p>}>
        <Rich text={text} streaming={streaming} />
      </Suspense>
    </div>
  )
})
