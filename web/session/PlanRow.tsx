import { Circle, CircleCheck, CircleDotDashed } from 'lucide-react'
import type { PlanItem } from '../../src/model/items.ts'

const MARKS: Record<string, typeof Circle> = { completed: CircleCheck, in_progress: CircleDotDashed }
const WORDS: Record<string, string> = { completed: 'done', in_progress: 'under way', pending: 'to do' }

export function PlanRow({ item }: { item: PlanItem }) {
  const done = item.entries.filter(({ status }) => status === 'completed').length
  return (
    <section className="plan" aria-label="Plan">
      <h2>
        Plan <span className="faint">{`${done} of ${item.entries.length}`}</span>
      </h2>
      <ul>
        {item.entries.map(({ content, status, priority }, at) => {
          const Mark = MARKS[status] ?? Circle
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an entry has no identity but its place
            <li key={at} data-status={status}>
              <Mark className="glyph" aria-hidden />
              <span className="hidden">{WORDS[status] ?? status}: </span>
              <span dir="auto">{content}</span>
              {priority === 'high' && <span className="faint">high</span>}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
