import { type ComponentProps, isValidElement, type ReactNode } from 'react'
import { type Components, type ExtraProps, Streamdown } from 'streamdown'
import { texts } from '../texts/texts.ts'
import { Code } from './Code.tsx'

/** The Markdown parser, loaded with the first message: it is the largest part of the page. */
export function RichMarkdown({ text, streaming }: { text: string; streaming: boolean }) {
  return (
    <Streamdown
      mode={streaming ? 'streaming' : 'static'}
      parseIncompleteMarkdown={streaming}
      components={COMPONENTS}
      controls={false}
      linkSafety={{ enabled: false }}
    >
      {text}
    </Streamdown>
  )
}

interface Plain extends ExtraProps {
  readonly children?: ReactNode
  readonly id?: string | undefined
}

/** Plain elements, styled by markdown.css, in place of the library's components. */
const plain =
  (Tag: 'h1' | 'h2' | 'h3' | 'h4' | 'ul' | 'ol' | 'li' | 'strong' | 'blockquote' | 'hr' | 'thead' | 'tbody' | 'tr') =>
  ({ children, id }: Plain) =>
    Tag === 'hr' ? <hr /> : <Tag {...(id ? { id } : {})}>{children}</Tag>

const COMPONENTS: Components = {
  h1: plain('h3'),
  h2: plain('h3'),
  h3: plain('h4'),
  h4: plain('h4'),
  ul: plain('ul'),
  ol: ({ children, start }: ComponentProps<'ol'> & ExtraProps) => <ol start={start}>{children}</ol>,
  li: plain('li'),
  strong: plain('strong'),
  blockquote: plain('blockquote'),
  hr: plain('hr'),
  thead: plain('thead'),
  tbody: plain('tbody'),
  tr: plain('tr'),
  th: ({ children }) => <th>{children}</th>,
  td: ({ children }) => <td>{children}</td>,
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard
    <div className="md-table scroll" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  a: ({ href, children }: ComponentProps<'a'> & ExtraProps) => (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  ),
  // A remote picture would tell its server who reads the message, so the page shows a link.
  img: ({ src, alt }: ComponentProps<'img'> & ExtraProps) => (
    <a href={typeof src === 'string' ? src : undefined} target="_blank" rel="noreferrer noopener">
      {alt || texts.ui.picture}
    </a>
  ),
  inlineCode: ({ children }) => <code>{children}</code>,
  code: ({ children }) => <code>{children}</code>,
  pre: ({ children }) => {
    const { language, code } = fence(children)
    return <Code text={code} language={language} />
  },
}

function fence(children: ReactNode): { language: string; code: string } {
  if (!isValidElement<{ className?: string; children?: ReactNode }>(children)) return { language: '', code: '' }
  const language = /language-(\S+)/.exec(children.props.className ?? '')?.[1] ?? ''
  return { language, code: String(children.props.children ?? '').replace(/\n$/, '') }
}
