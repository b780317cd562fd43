import { Circle, CircleCheck, CircleDotDashed } from 'lucide-react'
import type { PlanItem } from '../../../src/model/events/items.ts'
import { texts } from '../../texts/texts.ts'

const MARKS: Record<string, typeof Circle> = { completed: CircleCheck, in_progress: CircleDotDashed }

export function PlanRow({ item }: { item: PlanItem }) {
  const done = item.entries.filter(({ status }) => status === 'completed').length
  return (
    <section className="plan" aria-label={texts.transcript.plan.title}>
      <h2>
        {texts.transcript.plan.title}{' '}
        <span className="faint">{texts.transcript.plan.done(done, item.entries.length)}</span>
      </h2>
      <ul>
        {item.entries.map(({ content, status, priority }, at) => {
          const Mark = MARKS[status] ?? Circle
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an entry has no identity but its place
            <li key={at} data-status={status}>
              <Mark className="glyph" aria-hidden />
              <span className="hidden">{texts.transcript.step(status)}: </span>
              <span dir="auto">{content}</span>
              {priority === 'high' && <span className="faint">{texts.transcript.plan.high}</span>}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
