import { type ReactNode, useRef } from 'react'
import { texts } from '../texts/texts.ts'
import type { Live } from './live.ts'
import { type SendInput, usePictureInput, useWheel } from './use-picture-input.ts'

interface Props {
  readonly live: Live
  readonly title: string
  /** Sends input to the browser; null without control. */
  readonly send: SendInput | null
}

/** The picture of a browser. With control it takes mouse, wheel, keys and fingers. */
export function Picture({ live, title, send }: Props) {
  const { frame } = live
  const labels = texts.browser
  const picture = frame && (
    <img src={`data:image/jpeg;base64,${frame.data}`} alt={labels.picture(title)} draggable={false} />
  )
  if (send) {
    return (
      <Controlled live={live} send={send}>
        {picture ?? <p className="faint">{labels.nothing}</p>}
      </Controlled>
    )
  }
  return (
    <div className="browser-picture" {...looksOf(live)}>
      {picture ?? <p className="faint">{live.ended ? labels.ended : labels.nothing}</p>}
    </div>
  )
}

function Controlled({ live, send, children }: { live: Live; send: SendInput; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null)
  const handlers = usePictureInput(box, live.frame?.width ?? null, send)
  useWheel(box, send)
  return (
    <div
      ref={box}
      className="browser-picture"
      data-mine
      {...looksOf(live)}
      role="application"
      aria-label={texts.browser.view}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the picture takes keys while the reader has control
      tabIndex={0}
      onContextMenu={(event) => event.preventDefault()}
      {...handlers}
    >
      {children}
    </div>
  )
}

function looksOf({ open, scene, frame }: Live) {
  const stale = !open || scene?.state === 'starting'
  return {
    'data-stale': stale || undefined,
    style: { aspectRatio: frame ? `${frame.width} / ${frame.height}` : '16 / 10' },
  }
}
