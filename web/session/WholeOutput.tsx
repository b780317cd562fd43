import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import { asCarrelError, type CarrelError } from '../../src/model/errors.ts'
import type { ToolItem } from '../../src/model/items.ts'
import { usePage } from '../data/use-page.ts'
import { Dialog } from '../ui/Dialog.tsx'
import { bytes, count } from '../ui/format.ts'
import { Problem } from '../ui/Problem.tsx'
import { useSession } from './session-context.ts'
import { linesOf, readWhole } from './whole-output.ts'

const LINE = 18

/** What a tool call said in full, read from the log; lines are made as they come into sight. */
export function WholeOutput({ item, onClose }: { item: ToolItem; onClose: () => void }) {
  const page = usePage()
  const { session, workspace } = useSession()
  const [text, setText] = useState<string | null>(null)
  const [problem, setProblem] = useState<CarrelError | null>(null)
  useEffect(() => {
    const gone = new AbortController()
    readWhole(page, { workspace, session, item }, gone.signal)
      .then((whole) => gone.signal.aborted || setText(whole))
      .catch((thrown: unknown) => gone.signal.aborted || setProblem(asCarrelError(thrown)))
    return () => gone.abort()
  }, [page, workspace, session, item])
  return (
    <Dialog title={item.title} open onClose={onClose}>
      <Problem error={problem} what="The log could not be read." />
      {text === null && !problem && <p className="faint">Reading the log ...</p>}
      {text !== null && <Lines text={text} />}
      <div className="options">
        {text !== null && (
          <button type="button" className="btn" onClick={() => save(text)}>
            Save as a file
          </button>
        )}
        <button type="button" className="btn" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function Lines({ text }: { text: string }) {
  const lines = useMemo(() => linesOf(text), [text])
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    overscan: 20,
  })
  return (
    <>
      <p className="faint">{`${bytes(text.length)}, ${count(lines.length, 'line')}`}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div className="whole scroll" ref={box} tabIndex={0} role="document" aria-label="Whole output">
        <div style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => (
            <div key={index} className="whole-line" style={{ transform: `translateY(${start}px)` }}>
              {lines[index]}
            </div>
          ))}
        </div>
      </div>
    </>
  )
}

function save(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'output.txt'
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
