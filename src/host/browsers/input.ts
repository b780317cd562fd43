import { z } from 'zod'
import type { BrowserInput } from '../../model/browser-sight.ts'

export type Send = (method: string, params: object) => Promise<unknown>
/** The answer to a dialog. The page itself is blocked and takes no input until then. */
export type DialogInput = Extract<BrowserInput, { kind: 'dialog' }>
type PageInput = Exclude<BrowserInput, DialogInput>

interface Window {
  readonly width: number
  readonly height: number
}

const MOUSE = { move: 'mouseMoved', down: 'mousePressed', up: 'mouseReleased' } as const
const CONTROL_OR_META = 2 + 4
const NavigationHistory = z.object({ currentIndex: z.number(), entries: z.array(z.object({ id: z.number() })) })

/** Dispatches one input of a person to the tab of `send`. @throws Error when the browser refuses */
export async function dispatch(send: Send, input: PageInput, window: Window): Promise<void> {
  const at = ({ x, y }: { x: number; y: number }) => ({ x: x * window.width, y: y * window.height })
  switch (input.kind) {
    case 'mouse': {
      const { what, button, buttons, clicks, modifiers } = input
      const event = { type: MOUSE[what], ...at(input), button, buttons, clickCount: clicks, modifiers }
      await send('Input.dispatchMouseEvent', event)
      return
    }
    case 'wheel': {
      const { dx, dy, modifiers } = input
      await send('Input.dispatchMouseEvent', { type: 'mouseWheel', ...at(input), deltaX: dx, deltaY: dy, modifiers })
      return
    }
    case 'key':
      return await key(send, input)
    case 'text':
      await send('Input.insertText', { text: input.text })
      return
    case 'go':
      await send('Page.navigate', { url: input.url })
      return
    case 'step':
      return await step(send, input.to)
  }
}

async function key(send: Send, input: Extract<BrowserInput, { kind: 'key' }>): Promise<void> {
  const { what, key: name, code, keyCode, modifiers } = input
  const typed = name === 'Enter' ? '\r' : [...name].length === 1 ? name : ''
  const text = (modifiers & CONTROL_OR_META) === 0 ? typed : ''
  const type = what === 'up' ? 'keyUp' : text === '' ? 'rawKeyDown' : 'keyDown'
  const event = { type, key: name, code, windowsVirtualKeyCode: keyCode, modifiers }
  await send('Input.dispatchKeyEvent', { ...event, ...(type === 'keyDown' && { text }) })
}

/** Navigates in the tab's history. Does nothing at either end of it. */
async function step(send: Send, to: 'back' | 'forward' | 'reload'): Promise<void> {
  if (to === 'reload') {
    await send('Page.reload', {})
    return
  }
  const { currentIndex, entries } = NavigationHistory.parse(await send('Page.getNavigationHistory', {}))
  const entry = entries[currentIndex + (to === 'back' ? -1 : 1)]
  if (entry) await send('Page.navigateToHistoryEntry', { entryId: entry.id })
}
