import { type ComponentType, memo, useSyncExternalStore } from 'react'
import './markdown.css'

interface Props {
  readonly text: string
  /** The text is still streamed: an unfinished construct is rendered as if it were closed. */
  readonly streaming?: boolean
}

type Renderer = ComponentType<{ text: string; streaming: boolean }>

let renderer: Renderer | null = null
let loading: Promise<void> | null = null
const waiting = new Set<() => void>()

/** The renderer is the largest part of the page, so it loads in idle time, or at its first use. */
function loadMarkdown(): Promise<void> {
  loading ??= import('./RichMarkdown.tsx').then(
    ({ RichMarkdown }) => {
      renderer = RichMarkdown
      for (const tell of waiting) tell()
    },
    () => {
      // The plain text stays; the next message tries to load the renderer again.
      loading = null
    },
  )
  return loading
}

// Loads it in idle time before the first session is opened.
setTimeout(() => void loadMarkdown(), 400)

function subscribe(tell: () => void): () => void {
  waiting.add(tell)
  if (!renderer) void loadMarkdown()
  return () => waiting.delete(tell)
}

/** Markdown of an agent, as plain text until the renderer has loaded. */
export const Markdown = memo(function Markdown({ text, streaming = false }: Props) {
  const Rich = useSyncExternalStore(subscribe, () => renderer)
  return (
    <div className="md" dir="auto">
      {Rich ? <Rich text={text} streaming={streaming} /> : <p className="md-plain">{text}</p>}
    </div>
  )
})
