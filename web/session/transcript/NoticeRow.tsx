import { CircleAlert, Info, TriangleAlert } from 'lucide-react'
import { KeptPicture } from '../../../src/model/browser-sight.ts'
import type { NoticeItem, RawItem } from '../../../src/model/events/items.ts'
import { asText } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Fold } from '../../ui/Fold.tsx'
import { ImageBlock } from './Blocks.tsx'

const MARKS = { info: Info, warning: TriangleAlert, error: CircleAlert }

export function NoticeRow({ item }: { item: NoticeItem }) {
  const Mark = MARKS[item.level]
  const picture = KeptPicture.safeParse(item.data).data
  return (
    <div className="notice" data-level={item.level} role={item.level === 'error' ? 'alert' : undefined}>
      <Mark className="glyph" aria-hidden />
      <div className="grow notice-words">
        <p dir="auto">{item.text}</p>
        {picture && <ImageBlock block={picture.image} alt={texts.browser.picture(picture.title || picture.url)} />}
      </div>
    </div>
  )
}

/** An update of a kind that Carrel does not know. */
export function RawRow({ item }: { item: RawItem }) {
  return (
    <Fold
      id={`raw.${item.n}`}
      className="thought"
      head={
        <>
          <span>{texts.transcript.update}</span>
          <span className="cut grow thought-gist">{item.name}</span>
        </>
      }
    >
      {() => <pre className="output scroll">{asText(item.update)}</pre>}
    </Fold>
  )
}
