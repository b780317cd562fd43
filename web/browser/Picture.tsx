import { useEffect, useRef } from 'react'
import type { BrowserInput } from '../../src/model/browser-sight.ts'
import { texts } from '../texts/texts.ts'
import { buttonOf, modifiersOf, type Point, pointIn, tap } from './gestures.ts'
import type { Live } from './live.ts'

interface Props {
  readonly live: Live
  readonly title: string
  /** Null while it is only looked at. */
  readonly act: ((...inputs: BrowserInput[]) => void) | null
}

/** So far a finger may move and it is a tap still. px. */
const STILL = 8
/** Of a wheel that counts in lines. px. */
const LINE = 40

/** The picture; whoever has taken over acts in it with mouse, wheel, keys and fingers. */
export function Picture({ live, title, act }: Props) {
  const words = texts.browser
  const box = useRef<HTMLDivElement>(null)
  const finger = useRef<{ id: number; from: Point; x: number; y: number; moved: boolean } | null>(null)
  const escaped = useRef(false)
  const { frame } = live
  useWheel(box, act)
  const where = (event: { clientX: number; clientY: number }): Point =>
    pointIn((box.current as HTMLDivElement).getBoundingClientRect(), event)
  const mouse = (what: 'move' | 'down' | 'up', event: React.PointerEvent) => {
    const button = what === 'move' ? 'none' : buttonOf(event.button)
    const clicks = what === 'move' ? 0 : Math.min(3, Math.max(1, event.detail))
    act?.({
      kind: 'mouse',
      what,
      ...where(event),
      button,
      buttons: event.buttons & 7,
      clicks,
      modifiers: modifiersOf(event),
    })
  }
  const down = (event: React.PointerEvent) => {
    box.current?.focus({ preventScroll: true })
    if (event.pointerType !== 'touch') {
      box.current?.setPointerCapture(event.pointerId)
      return mouse('down', event)
    }
    finger.current ??= { id: event.pointerId, from: where(event), x: event.clientX, y: event.clientY, moved: false }
  }
  const move = (event: React.PointerEvent) => {
    if (event.pointerType !== 'touch') return mouse('move', event)
    const one = finger.current
    if (one?.id !== event.pointerId) return
    const [dx, dy] = [one.x - event.clientX, one.y - event.clientY]
    if (!one.moved && Math.hypot(dx, dy) < STILL) return
    const scale = frame && box.current ? frame.width / box.current.clientWidth : 1
    act?.({ kind: 'wheel', ...one.from, dx: dx * scale, dy: dy * scale, modifiers: 0 })
    Object.assign(one, { x: event.clientX, y: event.clientY, moved: true })
  }
  const up = (event: React.PointerEvent) => {
    if (event.pointerType !== 'touch') return mouse('up', event)
    const one = finger.current
    if (one?.id !== event.pointerId) return
    finger.current = null
    if (!one.moved) act?.(...tap(where(event)))
  }
  const key = (what: 'down' | 'up') => (event: React.KeyboardEvent) => {
    if (!act || event.nativeEvent.isComposing) return
    // The way out for those who have no mouse: a second Escape is the page's own.
    if (event.key === 'Escape' && what === 'down') {
      if (escaped.current) {
        escaped.current = false
        box.current?.blur()
        return
      }
      escaped.current = true
    } else if (what === 'down') escaped.current = false
    event.preventDefault()
    event.stopPropagation()
    const { key: name, code, keyCode } = event.nativeEvent
    act({
      kind: 'key',
      what,
      key: name.slice(0, 40),
      code: code.slice(0, 40),
      keyCode: Math.min(keyCode, 255),
      modifiers: modifiersOf(event),
    })
  }
  const stale = !live.open || live.scene?.state === 'starting'
  const picture = frame && (
    <img src={`data:image/jpeg;base64,${frame.data}`} alt={words.picture(title)} draggable={false} />
  )
  const ratio = frame ? `${frame.width} / ${frame.height}` : '16 / 10'
  if (!act)
    return (
      <div className="browser-picture" data-stale={stale || undefined} style={{ aspectRatio: ratio }}>
        {picture ?? <p className="faint">{live.ended ? words.ended : words.nothing}</p>}
      </div>
    )
  return (
    <div
      ref={box}
      className="browser-picture"
      data-mine
      data-stale={stale || undefined}
      style={{ aspectRatio: ratio }}
      role="application"
      aria-label={words.view}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys of whoever has taken over
      tabIndex={0}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={() => {
        finger.current = null
      }}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={key('down')}
      onKeyUp={key('up')}
      onPaste={(event) => {
        const text = event.clipboardData.getData('text/plain').slice(0, 10_000)
        if (text) act({ kind: 'text', text })
        event.preventDefault()
      }}
    >
      {picture ?? <p className="faint">{words.nothing}</p>}
    </div>
  )
}

/** By hand, since React listens to wheels in a way that lets the page scroll along. */
function useWheel(box: React.RefObject<HTMLDivElement | null>, act: Props['act']): void {
  const acting = act !== null
  const latest = useRef(act)
  useEffect(() => {
    latest.current = act
  })
  useEffect(() => {
    const element = box.current
    if (!element || !acting) return undefined
    const onWheel = (event: WheelEvent) => {
      event.preventDefault()
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE
      const dx = Math.max(-10_000, Math.min(10_000, event.deltaX * unit))
      const dy = Math.max(-10_000, Math.min(10_000, event.deltaY * unit))
      const at = pointIn(element.getBoundingClientRect(), event)
      latest.current?.({ kind: 'wheel', ...at, dx, dy, modifiers: modifiersOf(event) })
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [box, acting])
}
