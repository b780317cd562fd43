import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, MessagesSquare } from 'lucide-react'
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { SessionData } from '../data/session-data.ts'
import { usePage } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'
import { guessHeight, type Row, rowsOf } from './rows.ts'
import { StickyRun } from './StickyRun.tsx'
import { TranscriptRow } from './TranscriptRow.tsx'
import { isAtEnd, NEAR_END, useFollowing } from './use-following.ts'
import { useOlder } from './use-older.ts'
import { usePermalink } from './use-permalink.ts'
import './transcript.css'

interface Props {
  readonly data: SessionData
  readonly seen: number
  readonly agent: string
}

const NEAR_TOP = 6

/** The items of a session. Stays at the newest while one is there, and where one reads while one reads. */
export function Transcript({ data, seen, agent }: Props) {
  const rows = useMemo(() => rowsOf(data.items, seen, data.head), [data.items, seen, data.head])
  return rows.length === 0 ? <Nothing /> : <Rows data={data} rows={rows} agent={agent} />
}

/** Made with the first row, so that what follows the window finds one from the start. */
function Rows({ data, rows, agent }: Omit<Props, 'seen'> & { readonly rows: readonly Row[] }) {
  const page = usePage()
  const box = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    // Begins where it will be: rows at the top would be made only to go away.
    initialOffset: () => (location.hash ? 0 : rows.reduce((sum, row) => sum + guessHeight(row), 0)),
    estimateSize: useCallback((at: number) => guessHeight(rows[at]), [rows]),
    getItemKey: useCallback((at: number) => rows[at]?.key ?? at, [rows]),
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: NEAR_END,
    overscan: 8,
    paddingStart: 20,
    paddingEnd: 20,
    // Each row is placed by itself, so that scrolling moves none that stay.
    useFlushSync: false,
    onChange: (instance) => setAtEnd(isAtEnd(instance)),
  })
  const { target, seeking } = usePermalink(data, rows, virtual)
  const [placed, setPlaced] = useState(false)
  useLayoutEffect(() => {
    if (!location.hash) virtual.scrollToEnd()
    // Where all fits into the window nothing scrolls, and the guess of where it begins would stand.
    box.current?.dispatchEvent(new Event('scroll'))
    const frame = requestAnimationFrame(() => setPlaced(true))
    return () => cancelAnimationFrame(frame)
  }, [virtual])
  const shown = virtual.getVirtualItems()
  const first = shown[0]?.index ?? 0
  const older = useOlder(page.loadOlder, placed && data.more && first < NEAR_TOP, data.items.length)
  useFollowing(virtual, box, { rows, seeking, letGo: page.letGo })
  const top = rows[rowAt(virtual.scrollOffset ?? 0)]

  function rowAt(offset: number): number {
    return virtual.getVirtualItemForOffset(offset + 8)?.index ?? 0
  }
  return (
    <section className="transcript-box" aria-label={texts.transcript.title}>
      {/* The headings of messages stand below this one. */}
      <h2 className="hidden">{texts.transcript.title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div className="transcript scroll" ref={box} tabIndex={0}>
        <StickyRun data={data} row={top} agent={agent} />
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
        <button type="button" className="btn" onClick={older.again}>
          {texts.ui.tryAgain}
        </button>
      </Problem>
      {!atEnd && (
        <button type="button" className="btn to-end" onClick={() => virtual.scrollToEnd()}>
          <ArrowDown aria-hidden />
          {texts.transcript.newest}
        </button>
      )}
    </section>
  )
}

function Nothing() {
  return (
    <div className="transcript-box">
      <div className="empty">
        <MessagesSquare className="empty-mark" aria-hidden />
        <h2>{texts.transcript.empty.title}</h2>
        <p>{texts.transcript.empty.text}</p>
      </div>
    </div>
  )
}
