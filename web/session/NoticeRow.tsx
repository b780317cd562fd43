import { CircleAlert, Info, TriangleAlert } from 'lucide-react'
import type { NoticeItem, RawItem } from '../../src/model/items.ts'
import { texts } from '../texts/texts.ts'
import { Fold } from '../ui/Fold.tsx'
import { asText } from '../ui/format.ts'

const MARKS = { info: Info, warning: TriangleAlert, error: CircleAlert }

export function NoticeRow({ item }: { item: NoticeItem }) {
  const Mark = MARKS[item.level]
  return (
    <div className="notice" data-level={item.level} role={item.level === 'error' ? 'alert' : undefined}>
      <Mark className="glyph" aria-hidden />
      <p className="grow" dir="auto">
        {item.text}
      </p>
    </div>
  )
}

/** An update that Carrel does not know. */
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
