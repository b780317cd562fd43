import { Check, CircleSlash2 } from 'lucide-react'
import type { QuestionItem } from '../../../src/model/events/items.ts'
import { clockTime } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { QuestionCard } from '../questions/QuestionCard.tsx'

/** An open question is a card; a settled one is a line with its answer. */
export function QuestionRow({ item }: { item: QuestionItem }) {
  if (item.state === 'open') {
    return <QuestionCard interaction={item.interaction} question={item.question} expiresAt={item.expiresAt} />
  }
  const Mark = item.state === 'answered' ? Check : CircleSlash2
  return (
    <section className="settled" aria-label={texts.question.settled.title(item.question.title)}>
      <Mark className="glyph" aria-hidden />
      <span className="cut" dir="auto" title={item.question.title}>
        {item.question.title}
      </span>
      <b className="cut">{answerText(item)}</b>
      <span className="faint">
        {item.state === 'answered' &&
          (item.answeredBy ? texts.ui.person(item.answeredBy.name) : texts.question.settled.somebody)}
        {item.answeredAt !== null && ` ${clockTime(item.answeredAt)}`}
      </span>
    </section>
  )
}

function answerText({ state, answer, question }: QuestionItem): string {
  const labels = texts.question.settled
  if (state === 'withdrawn') return labels.withdrawn
  if (!answer || 'declined' in answer) return state === 'expired' ? labels.expired : labels.declined
  const text =
    'option' in answer
      ? (question.options.find(({ id }) => id === answer.option)?.label ?? answer.option)
      : Object.entries(answer.values)
          .map(([name, value]) => `${name}: ${String(value)}`)
          .join(', ')
  return state === 'expired' ? labels.expiredWith(text) : text
}
