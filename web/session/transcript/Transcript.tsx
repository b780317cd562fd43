import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { ArrowDown, MessagesSquare } from 'lucide-react'
import { type RefObject, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { SessionData } from '../../data/session-data.ts'
import { usePage } from '../../data/use-page.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { Empty } from '../../ui/Empty.tsx'
import { Problem } from '../../ui/Problem.tsx'
import { usePermalink } from '../use-permalink.ts'
import { guessHeight, rowsOf, type TranscriptRowData } from './rows.ts'
import { StickyRun } from './StickyRun.tsx'
import { TranscriptRow } from './TranscriptRow.tsx'
import { isAtEnd, NEAR_END, useFollowing } from './use-following.ts'
import { useOlder } from './use-older.ts'
import './transcript.css'

const NEAR_TOP = 6

/** The items of a session. Follows the newest item at the end of the list, and keeps the position elsewhere. */
export function Transcript({ data, seen, agent }: { data: SessionData; seen: number; agent: string }) {
  const rows = useMemo(() => rowsOf(data.items, seen, data.head), [data.items, seen, data.head])
  if (rows.length > 0) return <Rows data={data} rows={rows} agent={agent} />
  return (
    <div className="transcript-box">
      <Empty icon={MessagesSquare} {...texts.transcript.empty} />
    </div>
  )
}

/** Mounted with the first row, so that the virtualizer finds its scroll element from the start. */
function Rows({ data, rows, agent }: { data: SessionData; rows: readonly TranscriptRowData[]; agent: string }) {
  const page = usePage()
  const box = useRef<HTMLDivElement>(null)
  const { virtual, atEnd } = useRowWindow(box, rows)
  const { target, seeking } = usePermalink(data, rows, virtual)
  const placed = useFirstPlace(box, virtual)
  const shown = virtual.getVirtualItems()
  const nearTop = (shown[0]?.index ?? 0) < NEAR_TOP
  const older = useOlder(page.loadOlder, placed && data.more && nearTop, data.items.length)
  useFollowing(virtual, box, { rows, seeking, releaseOlder: page.releaseOlder })
  const topAt = virtual.getVirtualItemForOffset((virtual.scrollOffset ?? 0) + 8)?.index ?? 0
  return (
    <section className="transcript-box" aria-label={texts.transcript.title}>
      {/* The headings of messages are one level below this one. */}
      <h2 className="hidden">{texts.transcript.title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <div className="transcript scroll" ref={box} tabIndex={0}>
        <StickyRun data={data} row={rows[topAt]} agent={agent} />
        <div className="transcript-size" style={{ height: virtual.getTotalSize() }}>
          <ol className="transcript-rows">
            {shown.map(({ index, key, start }) => (
              <li
                key={key}
                data-index={index}
                style={{ transform: `translateY(${start}px)` }}
                ref={virtual.measureElement}
                data-target={rows[index]?.key === target || undefined}
              >
                <TranscriptRow row={rows[index]!} />
              </li>
            ))}
          </ol>
        </div>
      </div>
      {older.loading && <p className="older">{texts.transcript.loadingOlder}</p>}
      <Problem error={older.problem}>
        <Button label={texts.ui.tryAgain} onClick={older.again} />
      </Problem>
      {!atEnd && (
        <Button icon={ArrowDown} className="to-end" onClick={() => virtual.scrollToEnd()}>
          {texts.transcript.newest}
        </Button>
      )}
    </section>
  )
}

function useRowWindow(box: RefObject<HTMLDivElement | null>, rows: readonly TranscriptRowData[]) {
  const [atEnd, setAtEnd] = useState(true)
  const virtual = useVirtualizer<HTMLDivElement, Element>({
    count: rows.length,
    getScrollElement: () => box.current,
    // Begins at its final offset: rows at the top would be rendered only to be removed.
    initialOffset: () => (location.hash ? 0 : rows.reduce((sum, row) => sum + guessHeight(row), 0)),
    estimateSize: useCallback((at: number) => guessHeight(rows[at]), [rows]),
    getItemKey: useCallback((at: number) => rows[at]?.key ?? at, [rows]),
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_END,
    overscan: 8,
    paddingStart: 20,
    paddingEnd: 20,
    // Each row has its own transform, so scrolling moves no row that stays.
    useFlushSync: false,
    onChange: (instance) => setAtEnd(isAtEnd(instance)),
  })
  return { virtual, atEnd }
}

/** Scrolls to the newest row once. Returns whether that is done. */
function useFirstPlace(box: RefObject<HTMLDivElement | null>, virtual: Virtualizer<HTMLDivElement, Element>): boolean {
  const [placed, setPlaced] = useState(false)
  useLayoutEffect(() => {
    if (!location.hash) virtual.scrollToEnd()
    // A list that fits into the window never scrolls, and the guessed offset would stay.
    box.current?.dispatchEvent(new Event('scroll'))
    const frame = requestAnimationFrame(() => setPlaced(true))
    return () => cancelAnimationFrame(frame)
  }, [virtual, box])
  return placed
}
