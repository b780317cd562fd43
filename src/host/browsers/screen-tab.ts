import { setTimeout as pause } from 'node:timers/promises'
import type { BrowserDialog, BrowserFrame, BrowserTab } from '../../model/browser-sight.ts'
import type { Cdp } from './cdp.ts'
import { LayoutMetrics, Screenshot } from './cdp-shapes.ts'
import type { DialogInput, Send } from './input.ts'

/** One tab of a screen, with its CDP session. */
export interface ScreenTab extends BrowserTab {
  readonly session: string
  /** Whether it makes pictures. */
  casting: boolean
  /** The dialog that blocks its page; null for none. */
  dialog: BrowserDialog | null
  /** Called when a dialog opens. */
  onDialog: (() => void) | null
  /** Size of the page's window, in CSS pixels; 1 by 1 until it is measured. */
  window: { width: number; height: number }
}

const PICTURE = { format: 'jpeg', quality: 80 }
const CAPTURE_TRIES = 8
const RETRY_MS = 250

/** @throws Error while a dialog blocks the page of `tab` */
export function refuseBlocked({ dialog }: ScreenTab): void {
  if (dialog) throw new Error('A dialog of the page must be answered first.')
}

/** Waits for `work`, or for a dialog: a command that opens one has no answer until the dialog is closed. */
export async function untilDialog(tab: ScreenTab, work: () => Promise<void>): Promise<void> {
  refuseBlocked(tab)
  const { promise: opened, resolve } = Promise.withResolvers<void>()
  tab.onDialog = resolve
  await Promise.race([opened, work()])
}

/** Answers the dialog of `tab`, if it has one. The agent may answer at the same moment: that is no error. */
export async function answerDialog({ dialog }: ScreenTab, send: Send, input: DialogInput): Promise<void> {
  if (dialog === null) return
  const { accept, text: promptText } = input
  await send('Page.handleJavaScriptDialog', { accept, promptText }).catch((thrown) => {
    if (!/no dialog/i.test(String(thrown))) throw thrown
  })
}

/** Reads the window's size, unless it is known: the screencast tells it too. */
export async function measure(cdp: Cdp, tab: ScreenTab): Promise<void> {
  if (tab.window.width > 1) return
  const metrics = LayoutMetrics.parse(await cdp.send('Page.getLayoutMetrics', {}, tab.session))
  const { clientWidth: width, clientHeight: height } = metrics.cssVisualViewport
  tab.window = { width, height }
}

/** Takes a screenshot of `tab`. @throws Error when the browser makes none */
export async function shoot(cdp: Cdp, tab: ScreenTab, at: number): Promise<BrowserFrame> {
  const { data } = Screenshot.parse(await capture(cdp, tab.session))
  return { tab: tab.id, data, ...tab.window, at }
}

/** Retries for a moment: a page that navigates to another address has no picture. */
async function capture(cdp: Cdp, session: string): Promise<unknown> {
  for (let left = CAPTURE_TRIES; ; left -= 1) {
    try {
      return await cdp.send('Page.captureScreenshot', PICTURE, session)
    } catch (thrown) {
      if (left <= 1 || !/active page/.test(String(thrown))) throw thrown
      await pause(RETRY_MS)
    }
  }
}
