import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { BrowserDialog, BrowserFrame, BrowserInput, BrowserTab } from '../../model/browser-sight.ts'
import { type Cdp, type CdpEvent, openCdp } from './cdp.ts'
import { type DialogInput, dispatch, type Send } from './input.ts'

/** What is to be seen of a browser, and the way to act in it. Carrel's own way: no hold stops it. */
export interface Screen {
  readonly tabs: readonly BrowserTab[]
  /** The tab that is shown: the one in front, or the newest, or the one that was chosen until another comes to the front. */
  readonly shown: string | null
  /** The newest picture of the tab that is shown; null before there is one, and where nobody looks. */
  readonly frame: BrowserFrame | null
  /** What the tab that is shown asks; it stands still until that is answered. */
  readonly dialog: BrowserDialog | null
  /** Pictures are made while somebody looks only. */
  look(on: boolean): void
  /** Shows another tab; `front` brings it to the front of the browser too. Nothing happens where there is no such tab. */
  show(tab: string, front: boolean): Promise<void>
  /** Done in their order. @throws Error when there is no tab, or it refuses */
  act(inputs: readonly BrowserInput[]): Promise<void>
  /** A picture of the tab that is shown, as it is now. @throws Error when there is none */
  picture(): Promise<BrowserFrame & BrowserTab>
  /** Resolves when the browser is gone, or this was closed. */
  readonly closed: Promise<void>
  close(): void
}

interface Tab extends BrowserTab {
  readonly session: string
  casting: boolean
  dialog: BrowserDialog | null
  /** Told when a dialog opens. */
  halted: (() => void) | null
  window: { width: number; height: number }
}

const TRIES = 8
/** So many tabs of one browser are shown; what is opened beyond them is not. */
const MOST_TABS = 20
/** Between what may have changed a title and asking for it. ms. */
const ASK_MS = 250
/** Of an address and a title. Characters. */
const LONGEST = 2_000
const CAST = { format: 'jpeg', quality: 70, maxWidth: 1_600, maxHeight: 1_600 }
const PICTURE = { format: 'jpeg', quality: 80 }
/** Of one picture that is kept, in base64: a window of the size that runs get has a tenth of it. */
export const MAX_PICTURE_CHARS = 2_000_000

const text = z.string().transform((said) => said.slice(0, LONGEST))
const Info = z.object({ targetId: z.string(), type: z.string(), title: text, url: text })
const OfTarget = z.object({ targetInfo: Info })
const Gone = z.object({ targetId: z.string() })
const Attached = z.object({ sessionId: z.string() })
const Visible = z.object({ visible: z.boolean() })
const Cast = z.object({
  data: z.base64(),
  sessionId: z.number(),
  metadata: z.object({ deviceWidth: z.number().positive(), deviceHeight: z.number().positive() }),
})
const Opening = z.object({
  type: z.enum(['alert', 'confirm', 'prompt', 'beforeunload']),
  message: text,
  defaultPrompt: text.optional(),
})
const Shot = z.object({ data: z.base64().max(MAX_PICTURE_CHARS) })
const Layout = z.object({
  cssVisualViewport: z.object({ clientWidth: z.number().positive(), clientHeight: z.number().positive() }),
})

/** A page that is on its way to another address has no picture for a moment. */
async function capture(cdp: Cdp, session: string): Promise<unknown> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await cdp.send('Page.captureScreenshot', PICTURE, session)
    } catch (thrown) {
      if (left <= 1 || !/active page/.test(String(thrown))) throw thrown
      await pause(ASK_MS)
    }
  }
}

function refuseHalted({ dialog }: Tab): void {
  if (dialog) throw new Error('Its page asks something and stands still until that is answered.')
}

/** Waits for it, but not behind a dialog: what opens one is not answered before the dialog is. */
async function unlessHalted(tab: Tab, work: () => Promise<void>): Promise<void> {
  refuseHalted(tab)
  const { promise: halted, resolve } = Promise.withResolvers<void>()
  tab.halted = resolve
  await Promise.race([halted, work()])
}

/** The agent may have answered in the same moment. */
async function answerDialog({ dialog }: Tab, send: Send, { accept, text: promptText }: DialogInput): Promise<void> {
  if (dialog === null) return
  await send('Page.handleJavaScriptDialog', { accept, promptText }).catch((thrown) => {
    if (!/no dialog/i.test(String(thrown))) throw thrown
  })
}

/** @param own the socket of the browser that no hold stops. @throws Error when it cannot be reached */
export async function openScreen(own: string, now: () => number, onChange: () => void): Promise<Screen> {
  const tabs = new Map<string, Tab>()
  let shown: string | null = null
  let frame: BrowserFrame | null = null
  let looked = false

  const choose = (id: string | null) => {
    if (shown === id) return
    shown = id
    frame = null
    onChange()
  }
  const tabOf = (session: string | null) => [...tabs.values()].find((tab) => tab.session === session)
  const cast = (cdp: Cdp, tab: Tab) => {
    if (tab.casting === looked) return
    tab.casting = looked
    const words = looked ? (['Page.startScreencast', CAST] as const) : (['Page.stopScreencast', {}] as const)
    // A tab that is just closing refuses.
    cdp.send(words[0], words[1], tab.session).catch(() => undefined)
  }
  const attach = async (cdp: Cdp, { targetId: id, title, url }: z.infer<typeof Info>) => {
    if (tabs.size >= MOST_TABS || tabs.has(id)) return
    const session = Attached.parse(await cdp.send('Target.attachToTarget', { targetId: id, flatten: true })).sessionId
    const tab = { id, title, url, session, casting: false, dialog: null, halted: null, window: { width: 1, height: 1 } }
    tabs.set(id, tab)
    await cdp.send('Page.enable', {}, session)
    choose(id)
    cast(cdp, tab)
    onChange()
  }

  const said = (id: string, { title, url }: Pick<BrowserTab, 'title' | 'url'>) => {
    const tab = tabs.get(id)
    if (!tab || (tab.title === title && tab.url === url)) return
    tabs.set(id, Object.assign(tab, { title, url }))
    onChange()
  }
  const asking = new Set<string>()
  /** A browser tells of a new address and of no new title: it is asked for a moment after something was done or seen. */
  const askSoon = (cdp: Cdp, tab: Tab | undefined) => {
    if (!tab || asking.has(tab.id)) return
    asking.add(tab.id)
    setTimeout(async () => {
      asking.delete(tab.id)
      const told = await cdp.send('Target.getTargetInfo', { targetId: tab.id }).catch(() => null)
      const { targetInfo } = OfTarget.safeParse(told).data ?? {}
      if (targetInfo) said(tab.id, targetInfo)
    }, ASK_MS)
  }

  const on: Record<string, (cdp: Cdp, params: unknown, session: string | null) => unknown> = {
    'Target.targetCreated': (cdp, params) => {
      const { targetInfo } = OfTarget.parse(params)
      if (targetInfo.type === 'page') attach(cdp, targetInfo).catch(() => undefined)
    },
    'Target.targetInfoChanged': (_cdp, params) => {
      const { targetInfo } = OfTarget.parse(params)
      said(targetInfo.targetId, targetInfo)
    },
    'Page.javascriptDialogOpening': (_cdp, params, session) => {
      const tab = tabOf(session)
      const { type: kind, message, defaultPrompt: answer = '' } = Opening.parse(params)
      if (!tab) return
      tab.dialog = { kind, message, answer }
      tab.halted?.()
      onChange()
    },
    'Page.javascriptDialogClosed': (_cdp, _params, session) => {
      const tab = tabOf(session)
      if (!tab?.dialog) return
      tab.dialog = null
      onChange()
    },
    'Page.loadEventFired': (cdp, _params, session) => askSoon(cdp, tabOf(session)),
    'Target.targetDestroyed': (_cdp, params) => {
      const { targetId } = Gone.parse(params)
      if (!tabs.delete(targetId)) return
      if (shown === targetId) choose([...tabs.keys()].at(-1) ?? null)
      onChange()
    },
    'Page.screencastVisibilityChanged': (_cdp, params, session) => {
      const tab = tabOf(session)
      if (tab && Visible.parse(params).visible) choose(tab.id)
    },
    'Page.screencastFrame': (cdp, params, session) => {
      const { data, metadata, sessionId } = Cast.parse(params)
      // At once, since a browser drops what it makes before, and would not make the last one again.
      cdp.send('Page.screencastFrameAck', { sessionId }, session ?? undefined).catch(() => undefined)
      const tab = tabOf(session)
      askSoon(cdp, tab)
      if (!tab || !looked) return
      tab.window = { width: metadata.deviceWidth, height: metadata.deviceHeight }
      if (tab.id !== shown) return
      frame = { tab: tab.id, data, ...tab.window, at: now() }
      onChange()
    },
  }
  let cdp: Cdp | null = null
  const take = ({ method, params, session }: CdpEvent) => {
    if (cdp === null || !Object.hasOwn(on, method)) return
    try {
      on[method]?.(cdp, params, session)
    } catch {
      // What does not have its shape is left out: the next picture is another.
    }
  }
  // It says nothing before it is asked to.
  const opened = await openCdp(own, take)
  cdp = opened
  try {
    const filter = [{ type: 'page' }]
    const { targetInfos } = z
      .object({ targetInfos: z.array(Info) })
      .parse(await opened.send('Target.getTargets', { filter }))
    // Oldest first, so that the newest is the one that is shown.
    for (const info of targetInfos.toReversed()) await attach(opened, info)
    await opened.send('Target.setDiscoverTargets', { discover: true, filter })
  } catch (thrown) {
    opened.close()
    throw thrown
  }

  const current = (): Tab => {
    const tab = shown === null ? undefined : tabs.get(shown)
    if (!tab) throw new Error('The browser has no page open.')
    return tab
  }
  const shoot = async (tab: Tab): Promise<BrowserFrame & BrowserTab> => {
    const { data } = Shot.parse(await capture(opened, tab.session))
    const { id, title, url, window } = tab
    return { id, title, url, tab: id, data, ...window, at: now() }
  }
  const measure = async (tab: Tab) => {
    if (tab.window.width > 1) return
    const { cssVisualViewport: seen } = Layout.parse(await opened.send('Page.getLayoutMetrics', {}, tab.session))
    tab.window = { width: seen.clientWidth, height: seen.clientHeight }
  }
  const readyFor = async (tab: Tab, send: Send) => {
    await measure(tab)
    // As if its window had the focus, which no window of a browser without a screen has.
    await send('Emulation.setFocusEmulationEnabled', { enabled: true })
  }
  return {
    get tabs() {
      return [...tabs.values()].map(({ id, title, url }) => ({ id, title, url }))
    },
    get shown() {
      return shown
    },
    get frame() {
      return frame
    },
    get dialog() {
      return tabs.get(shown ?? '')?.dialog ?? null
    },
    look(wanted) {
      looked = wanted
      if (!looked) frame = null
      for (const tab of tabs.values()) cast(opened, tab)
    },
    async show(id, front) {
      const tab = tabs.get(id)
      if (!tab) return
      choose(id)
      if (front) await opened.send('Page.bringToFront', {}, tab.session)
      if (!looked || tab.dialog) return
      // One that is not in front makes no pictures by itself.
      await measure(tab)
      const { title: _title, url: _url, id: _id, ...still } = await shoot(tab)
      if (shown !== id || frame !== null) return
      frame = still
      onChange()
    },
    async act(inputs) {
      const tab = current()
      const send = (method: string, params: object) => opened.send(method, params, tab.session)
      let ready = false
      for (const input of inputs) {
        if (input.kind === 'dialog') {
          await answerDialog(tab, send, input)
          continue
        }
        if (!ready) await unlessHalted(tab, () => readyFor(tab, send))
        ready = true
        await unlessHalted(tab, () => dispatch(send, input, tab.window))
      }
      askSoon(opened, tab)
    },
    async picture() {
      const tab = current()
      refuseHalted(tab)
      await measure(tab)
      return await shoot(tab)
    },
    closed: opened.closed,
    close: () => opened.close(),
  }
}
