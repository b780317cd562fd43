import { Link } from '@tanstack/react-router'
import type { MouseEvent } from 'react'
import { age, fullTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'
import { StateDot } from '../ui/StateDot.tsx'
import type { Card } from './columns.ts'
import type { Marks } from './use-marks.ts'

interface Props {
  readonly card: Card
  readonly agent: string
  readonly now: number
  readonly marks: Marks
}

/** A session as a card. Its name is a link; a click elsewhere on the card selects it. */
export function BoardCard({ card: { session, space, project, news }, agent, now, marks }: Props) {
  const marked = marks.has(session.id)
  const press = (event: MouseEvent): void => {
    const { tagName } = event.target as HTMLElement
    if (tagName === 'INPUT' || (tagName === 'A' && !event.shiftKey)) return
    event.preventDefault()
    if (event.shiftKey) marks.extend(session.id)
    else marks.toggle(session.id)
  }
  const place = space.name === project.name ? space.name : `${space.name} / ${project.name}`
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tick and the key x do the same for the keyboard
    <li className="board-card" data-marked={marked || undefined} onClick={press}>
      <div className="board-card-head">
        <StateDot state={session.state} />
        <Link
          to="/s/$session"
          params={{ session: session.id }}
          className="board-name grow"
          data-card={session.id}
          title={session.name}
        >
          {session.name}
        </Link>
        <input
          type="checkbox"
          aria-label={texts.board.mark(session.name)}
          checked={marked}
          onChange={({ nativeEvent }) =>
            (nativeEvent as globalThis.MouseEvent).shiftKey ? marks.extend(session.id) : marks.toggle(session.id)
          }
        />
      </div>
      <p className="board-news">{news}</p>
      <p className="board-foot faint">
        <span className="cut">
          {agent} · {place}
        </span>
        <span className="grow" />
        <time title={fullTime(session.updatedAt)}>{age(now - session.updatedAt)}</time>
      </p>
    </li>
  )
}
