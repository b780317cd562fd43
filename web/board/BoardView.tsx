import { Link } from '@tanstack/react-router'
import { SquareKanban } from 'lucide-react'
import { useMemo, useState } from 'react'
import { agentName, useAgents } from '../data/queries.ts'
import { useWorkspace } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { OlderSessions } from '../tree/OlderSessions.tsx'
import { Button } from '../ui/Button.tsx'
import { Empty } from '../ui/Empty.tsx'
import { useNow } from '../ui/use-now.ts'
import { BoardCard } from './BoardCard.tsx'
import { type Column, columnsOf } from './columns.ts'
import { MarkedBar } from './MarkedBar.tsx'
import { useBoardKeys } from './use-board-keys.ts'
import { type Marks, useMarks } from './use-marks.ts'
import './board.css'

/** Only the newest idle sessions are shown: older ones are a matter for search or the sidebar. */
const FIRST_CARDS = 40

/** The sessions of all Spaces by state, for people who run many. */
export function BoardView() {
  const workspace = useWorkspace()
  const columns = useMemo(() => columnsOf(workspace), [workspace])
  const order = useMemo(
    () => columns.flatMap(({ cards }) => cards.map(({ session }) => session.id as string)),
    [columns],
  )
  const marks = useMarks(order)
  useBoardKeys(columns, marks)
  const [chosen, setChosen] = useState<string | null>(null)
  // A phone has room for one column: the first that is not empty, in order of urgency.
  const shown = chosen ?? columns.find(({ cards }) => cards.length > 0)?.id ?? 'idle'
  if (order.length === 0) return <NoSessions />
  return (
    <div className="board">
      <header className="board-head">
        <h1>{texts.board.title}</h1>
        <p className="faint grow" role="status">
          {texts.board.sessions(order.length)}
        </p>
        <p className="faint board-keys" aria-hidden>
          <kbd>x</kbd> {texts.board.keys.mark}, <kbd>{texts.keys.names.enter}</kbd> {texts.board.keys.open}
        </p>
      </header>
      <div className="board-filter" role="radiogroup" aria-label={texts.board.state}>
        {columns.map(({ id, title, cards }) => (
          <label key={id}>
            <input type="radio" name="board-filter" checked={id === shown} onChange={() => setChosen(id)} />
            {title} <span className="board-count">{cards.length}</span>
          </label>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <section className="board-columns scroll" aria-label={texts.board.byState} tabIndex={0}>
        {columns.map((column) => (
          <BoardColumn key={column.id} column={column} shown={column.id === shown} marks={marks} />
        ))}
      </section>
      <OlderSessions />
      <MarkedBar columns={columns} marks={marks} />
    </div>
  )
}

function BoardColumn({ column, shown, marks }: { column: Column; shown: boolean; marks: Marks }) {
  const { id, title, empty, cards } = column
  const agents = useAgents().data?.agents
  const now = useNow(10_000, cards.length > 0)
  const [all, setAll] = useState(false)
  const visible = all ? cards : cards.slice(0, FIRST_CARDS)
  return (
    <section className="board-column" aria-labelledby={`board-${id}`} data-shown={shown || undefined}>
      <h2 id={`board-${id}`}>
        {title} <span className="board-count">{cards.length}</span>
      </h2>
      {cards.length === 0 ? (
        <p className="board-none faint">{empty}</p>
      ) : (
        <ul>
          {visible.map((card) => (
            <BoardCard
              key={card.session.id}
              card={card}
              agent={agentName(agents, card.session.agent)}
              now={now}
              marks={marks}
            />
          ))}
        </ul>
      )}
      {visible.length < cards.length && (
        <Button className="quiet" onClick={() => setAll(true)}>
          {texts.board.more(cards.length - visible.length)}
        </Button>
      )}
    </section>
  )
}

function NoSessions() {
  return (
    <Empty icon={SquareKanban} title={texts.board.empty.title} text={texts.board.empty.text}>
      <Link to="/" className="btn primary">
        {texts.board.empty.start}
      </Link>
    </Empty>
  )
}
