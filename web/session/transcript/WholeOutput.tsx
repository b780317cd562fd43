import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import { asCarrelError, type CarrelError } from '../../../src/model/errors.ts'
import type { ToolItem } from '../../../src/model/events/items.ts'
import { usePage } from '../../data/use-page.ts'
import { bytes } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { download } from '../../ui/download.ts'
import { Problem } from '../../ui/Problem.tsx'
import { useSession } from '../session-context.ts'
import { linesOf, readWhole } from './whole-output.ts'

const LINE = 18

/** The full output of a tool call, read from the log. Only visible lines are rendered. */
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
    <Dialog title={item.title} onClose={onClose}>
      <Problem error={problem} what={texts.transcript.whole.failed} />
      {text === null && !problem && <p className="faint">{texts.transcript.whole.reading}</p>}
      {text !== null && <Lines text={text} />}
      <div className="options">
        {text !== null && (
          <Button
            label={texts.transcript.whole.save}
            onClick={() => download(texts.transcript.whole.file, text, 'text/plain')}
          />
        )}
        <Button label={texts.ui.close} onClick={onClose} />
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
      <p className="faint">{texts.transcript.whole.size(bytes(text.length), lines.length)}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keyboard */}
      <div className="whole scroll" ref={box} tabIndex={0} role="document" aria-label={texts.transcript.whole.title}>
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
