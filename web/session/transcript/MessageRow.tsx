import type { MessageItem } from '../../../src/model/events/items.ts'
import { texts } from '../../texts/texts.ts'
import { Markdown } from '../../ui/Markdown.tsx'
import { useSession } from '../session-context.ts'
import { Blocks } from './Blocks.tsx'

export function MessageRow({ item, streaming }: { item: MessageItem; streaming: boolean }) {
  const { live } = useSession()
  if (item.role === 'user') {
    return (
      <article className="said" aria-label={texts.transcript.steered.title}>
        <span className="faint">{texts.transcript.steered.text}</span>
        <p className="prompt-text" dir="auto">
          {item.text}
        </p>
        <Blocks blocks={item.blocks} />
      </article>
    )
  }
  return (
    <article className="message" data-continues={item.continues || undefined} aria-label={texts.transcript.message}>
      {item.text && <Markdown text={item.text} streaming={streaming && live} />}
      <Blocks blocks={item.blocks} />
    </article>
  )
}
