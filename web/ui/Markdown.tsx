import { type ComponentType, memo, useSyncExternalStore } from 'react'
import './markdown.css'

interface Props {
  readonly text: string
  /** More will come: what is cut in the middle is closed for the eye. */
  readonly streaming?: boolean
}

type Renderer = ComponentType<{ text: string; streaming: boolean }>

let renderer: Renderer | null = null
let loading: Promise<void> | null = null
const waiting = new Set<() => void>()

/** The renderer is the largest part of the page: it comes when the page has time, or when it is first needed. */
function loadMarkdown(): Promise<void> {
  loading ??= import('./RichMarkdown.tsx').then(
    ({ RichMarkdown }) => {
      renderer = RichMarkdown
      for (const tell of waiting) tell()
    },
    () => {
      // The plain text stays; the next message tries again.
      loading = null
    },
  )
  return loading
}

// Before the first session is opened, if there is time.
setTimeout(() => void loadMarkdown(), 400)

function subscribe(tell: () => void): () => void {
  waiting.add(tell)
  if (!renderer) void loadMarkdown()
  return () => waiting.delete(tell)
}

/** Markdown of an agent. Until the renderer is here the text stands as it is, so nothing waits for it. */
export const Markdown = memo(function Markdown({ text, streaming = false }: Props) {
  const Rich = useSyncExternalStore(subscribe, () => renderer)
  return (
    <div className="md" dir="auto">
      {Rich ? <Rich text={text} streaming={streaming} /> : <p className="md-plain">{text}</p>}
    </div>
  )
})
