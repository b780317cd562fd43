import { type RefObject, useEffect, useRef } from 'react'
import type { BrowserInput } from '../../src/model/browser-sight.ts'
import { buttonOf, modifiersOf, type PicturePoint, pointIn, tap } from './gestures.ts'

export type SendInput = (...inputs: BrowserInput[]) => void

/** A finger that moves less is a tap. px. */
const TAP_PX = 8
/** A line of a wheel that scrolls by lines. px. */
const LINE_PX = 40
/** The API takes no longer text, key or delta. */
const MOST_TEXT = 10_000
const MOST_KEY = 40
const MOST_DELTA = 10_000

interface Finger {
  readonly id: number
  readonly from: PicturePoint
  x: number
  y: number
  moved: boolean
}

/** Turns events on the picture into browser input. Returns the handlers of the element. */
export function usePictureInput(box: RefObject<HTMLDivElement | null>, frameWidth: number | null, send: SendInput) {
  return { ...usePointers(box, frameWidth, send), ...useKeys(box, send) }
}

function usePointers(box: RefObject<HTMLDivElement | null>, frameWidth: number | null, send: SendInput) {
  const finger = useRef<Finger | null>(null)
  const at = (event: React.PointerEvent) => pointIn((box.current as HTMLDivElement).getBoundingClientRect(), event)
  const ownFinger = (event: React.PointerEvent) => (finger.current?.id === event.pointerId ? finger.current : null)
  return {
    onPointerDown(event: React.PointerEvent) {
      box.current?.focus({ preventScroll: true })
      if (event.pointerType !== 'touch') {
        box.current?.setPointerCapture(event.pointerId)
        return send(mouseInput('down', at(event), event))
      }
      finger.current ??= { id: event.pointerId, from: at(event), x: event.clientX, y: event.clientY, moved: false }
    },
    onPointerMove(event: React.PointerEvent) {
      if (event.pointerType !== 'touch') return send(mouseInput('move', at(event), event))
      const one = ownFinger(event)
      if (!one) return
      const [dx, dy] = [one.x - event.clientX, one.y - event.clientY]
      if (!one.moved && Math.hypot(dx, dy) < TAP_PX) return
      const scale = frameWidth !== null && box.current ? frameWidth / box.current.clientWidth : 1
      send({ kind: 'wheel', ...one.from, dx: dx * scale, dy: dy * scale, modifiers: 0 })
      Object.assign(one, { x: event.clientX, y: event.clientY, moved: true })
    },
    onPointerUp(event: React.PointerEvent) {
      if (event.pointerType !== 'touch') return send(mouseInput('up', at(event), event))
      const one = ownFinger(event)
      if (!one) return
      finger.current = null
      if (!one.moved) send(...tap(at(event)))
    },
    onPointerCancel() {
      finger.current = null
    },
  }
}

function mouseInput(what: 'move' | 'down' | 'up', at: PicturePoint, event: React.PointerEvent): BrowserInput {
  return {
    kind: 'mouse',
    what,
    ...at,
    button: what === 'move' ? 'none' : buttonOf(event.button),
    buttons: event.buttons & 7,
    clicks: what === 'move' ? 0 : Math.min(3, Math.max(1, event.detail)),
    modifiers: modifiersOf(event),
  }
}

function useKeys(box: RefObject<HTMLDivElement | null>, send: SendInput) {
  const escaped = useRef(false)
  /** A second Escape leaves the picture: the way out for a reader without a mouse. */
  const leaves = (event: React.KeyboardEvent): boolean => {
    const again = escaped.current && event.key === 'Escape'
    escaped.current = !again && event.key === 'Escape'
    if (again) box.current?.blur()
    return again
  }
  const press = (what: 'down' | 'up') => (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (what === 'down' && leaves(event)) return
    event.preventDefault()
    event.stopPropagation()
    const { key, code, keyCode } = event.nativeEvent
    send({
      kind: 'key',
      what,
      key: key.slice(0, MOST_KEY),
      code: code.slice(0, MOST_KEY),
      keyCode: Math.min(keyCode, 255),
      modifiers: modifiersOf(event),
    })
  }
  return {
    onKeyDown: press('down'),
    onKeyUp: press('up'),
    onPaste(event: React.ClipboardEvent) {
      const text = event.clipboardData.getData('text/plain').slice(0, MOST_TEXT)
      if (text) send({ kind: 'text', text })
      event.preventDefault()
    },
  }
}

/** Sends the wheel. A listener of its own: React's wheel listeners are passive, so the page would scroll along. */
export function useWheel(box: RefObject<HTMLDivElement | null>, send: SendInput): void {
  const latest = useRef(send)
  useEffect(() => {
    latest.current = send
  })
  useEffect(() => {
    const element = box.current
    if (!element) return undefined
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault()
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_PX
      const at = pointIn(element.getBoundingClientRect(), event)
      const [dx, dy] = [deltaOf(event.deltaX * unit), deltaOf(event.deltaY * unit)]
      latest.current({ kind: 'wheel', ...at, dx, dy, modifiers: modifiersOf(event) })
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [box])
}

const deltaOf = (delta: number): number => Math.max(-MOST_DELTA, Math.min(MOST_DELTA, delta))
