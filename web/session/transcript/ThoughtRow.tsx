import type { ThoughtItem } from '../../../src/model/events/items.ts'
import { duration } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Fold } from '../../ui/Fold.tsx'
import { Markdown } from '../../ui/Markdown.tsx'

export function ThoughtRow({ item }: { item: ThoughtItem }) {
  const gist =
    item.text
      .trim()
      .split('\n')[0]
      ?.replace(/[*_#`]/g, '') ?? ''
  return (
    <Fold
      id={`thought.${item.n}`}
      className="thought"
      head={
        <>
          <span>{item.endedAt === null ? texts.transcript.thinking : texts.transcript.thought}</span>
          <span className="cut grow thought-gist">{gist}</span>
          {item.endedAt !== null && item.endedAt - item.at >= 100 && (
            <span className="faint">{duration(item.endedAt - item.at)}</span>
          )}
        </>
      }
    >
      {() => <Markdown text={item.text} streaming={item.endedAt === null} />}
    </Fold>
  )
}
