import type { BrowserInput } from '../../src/model/browser-sight.ts'

/** A point of the picture, as a share of its width and height. */
export interface PicturePoint {
  readonly x: number
  readonly y: number
}

type Keys = Pick<MouseEvent, 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>

/** Returns the modifier keys as the bits of the DevTools protocol. */
export const modifiersOf = ({ altKey, ctrlKey, metaKey, shiftKey }: Keys): number =>
  (altKey ? 1 : 0) + (ctrlKey ? 2 : 0) + (metaKey ? 4 : 0) + (shiftKey ? 8 : 0)

export function pointIn(box: DOMRect, { clientX, clientY }: Pick<MouseEvent, 'clientX' | 'clientY'>): PicturePoint {
  const share = (at: number, from: number, size: number) => Math.min(1, Math.max(0, size > 0 ? (at - from) / size : 0))
  return { x: share(clientX, box.left, box.width), y: share(clientY, box.top, box.height) }
}

const BUTTONS = ['left', 'middle', 'right'] as const
export const buttonOf = (button: number) => BUTTONS[button] ?? 'none'

/** Returns the mouse input of a tap. */
export const tap = (point: PicturePoint): BrowserInput[] =>
  (['move', 'down', 'up'] as const).map((what) => ({
    kind: 'mouse',
    what,
    ...point,
    button: what === 'move' ? 'none' : 'left',
    buttons: what === 'down' ? 1 : 0,
    clicks: what === 'move' ? 0 : 1,
    modifiers: 0,
  }))

export const press = (key: string, keyCode: number): BrowserInput[] =>
  (['down', 'up'] as const).map((what) => ({ kind: 'key', what, key, code: key, keyCode, modifiers: 0 }))

/**
 * Returns a function that sends inputs in order, one request at a time. Inputs that arrive in the meantime go with the
 * next request; of several moves in a row only the last goes. A failure drops the waiting inputs: they were meant for
 * another state of the page.
 */
export function createSender(send: (inputs: BrowserInput[]) => Promise<unknown>, onError: (thrown: unknown) => void) {
  let waiting: BrowserInput[] = []
  let busy = false
  const flush = async () => {
    if (busy) return
    busy = true
    try {
      while (waiting.length > 0) await send(waiting.splice(0, 100))
    } catch (thrown) {
      waiting = []
      onError(thrown)
    } finally {
      busy = false
    }
  }
  return (...inputs: BrowserInput[]): void => {
    for (const input of inputs) {
      const last = waiting.at(-1)
      if (isMove(input) && last && isMove(last)) waiting[waiting.length - 1] = input
      else waiting.push(input)
    }
    void flush()
  }
}

const isMove = (input: BrowserInput): boolean => input.kind === 'mouse' && input.what === 'move'
