import type { BrowserDialog, BrowserFrame, BrowserInput, BrowserTab } from '../../model/browser-sight.ts'
import { type Cdp, type CdpEvent, openCdp } from './cdp.ts'
import {
  AllTargets,
  Attached,
  DialogOpening,
  OneTarget,
  ScreencastFrame,
  TargetDestroyed,
  type TargetInfo,
  Visibility,
} from './cdp-shapes.ts'
import { dispatch, type Send } from './input.ts'
import { answerDialog, measure, refuseBlocked, type ScreenTab, shoot, untilDialog } from './screen-tab.ts'

interface ScreenOptions {
  /** ms since 1970. */
  readonly now: () => number
  /** Called whenever one of the screen's properties has changed. */
  readonly onChange: () => void
}

/** Most tabs shown of one browser; further ones are ignored. */
const MAX_TABS = 20
/** Time from an event that may change the title until the title is read. ms. */
const TITLE_DELAY_MS = 250
const CAST = { format: 'jpeg', quality: 70, maxWidth: 1_600, maxHeight: 1_600 }
const PAGES = [{ type: 'page' }]

/** The tabs and pictures of a browser, and input to it. Uses the server's own socket, which no hold blocks. */
export class Screen {
  readonly #cdp: Cdp
  readonly #options: ScreenOptions
  readonly #tabs = new Map<string, ScreenTab>()
  /** Tabs whose title will be read in a moment. */
  readonly #titlesDue = new Set<string>()
  #shown: string | null = null
  #frame: BrowserFrame | null = null
  #casting = false

  /** Connects to the browser at `socketPath`. @throws Error when it cannot be reached */
  static async open(socketPath: string, options: ScreenOptions): Promise<Screen> {
    let screen: Screen | null = null
    // CDP sends no event before the first command, so that none comes before the screen exists.
    const cdp = await openCdp(socketPath, (event) => {
      if (screen !== null) screen.#receive(event)
    })
    screen = new Screen(cdp, options)
    try {
      await screen.#attachAll()
      return screen
    } catch (thrown) {
      cdp.close()
      throw thrown
    }
  }

  private constructor(cdp: Cdp, options: ScreenOptions) {
    this.#cdp = cdp
    this.#options = options
  }

  get tabs(): readonly BrowserTab[] {
    return [...this.#tabs.values()].map(({ id, title, url }) => ({ id, title, url }))
  }

  /** The shown tab: the one a person chose, until another one is opened or comes to the front. Null without tabs. */
  get shown(): string | null {
    return this.#shown
  }

  /** The newest picture of the shown tab; null before the first one, and while pictures are off. */
  get frame(): BrowserFrame | null {
    return this.#frame
  }

  /** The dialog that blocks the shown tab until it is answered; null for none. */
  get dialog(): BrowserDialog | null {
    return this.#tabs.get(this.#shown ?? '')?.dialog ?? null
  }

  /** Resolves when the browser has ended or the screen was closed. Never rejects. */
  get closed(): Promise<void> {
    return this.#cdp.closed
  }

  close(): void {
    this.#cdp.close()
  }

  /** Turns pictures on or off. */
  cast(on: boolean): void {
    this.#casting = on
    if (!on) this.#frame = null
    for (const tab of this.#tabs.values()) this.#castTab(tab)
  }

  /** Shows another tab; `front` brings it to the front of the browser too. Does nothing for an unknown tab. */
  async show(id: string, front: boolean): Promise<void> {
    const tab = this.#tabs.get(id)
    if (!tab) return
    this.#choose(id)
    if (front) await this.#cdp.send('Page.bringToFront', {}, tab.session)
    if (!this.#casting || tab.dialog) return
    // A tab in the background makes no pictures, so that one is taken.
    await measure(this.#cdp, tab)
    const still = await shoot(this.#cdp, tab, this.#options.now())
    if (this.#shown !== id || this.#frame !== null) return
    this.#frame = still
    this.#options.onChange()
  }

  /** Dispatches inputs to the shown tab, in order. @throws Error without a tab, or when the browser refuses one */
  async act(inputs: readonly BrowserInput[]): Promise<void> {
    const tab = this.#current()
    const send: Send = (method, params) => this.#cdp.send(method, params, tab.session)
    let ready = false
    for (const input of inputs) {
      if (input.kind === 'dialog') {
        await answerDialog(tab, send, input)
        continue
      }
      if (!ready) await untilDialog(tab, () => this.#prepare(tab, send))
      ready = true
      await untilDialog(tab, () => dispatch(send, input, tab.window))
    }
    this.#readTitleSoon(tab)
  }

  /** Takes a picture of the shown tab. @throws Error without a tab, and while a dialog blocks it */
  async picture(): Promise<BrowserFrame & BrowserTab> {
    const tab = this.#current()
    refuseBlocked(tab)
    await measure(this.#cdp, tab)
    const frame = await shoot(this.#cdp, tab, this.#options.now())
    const { id, title, url } = tab
    return { id, title, url, ...frame }
  }

  async #attachAll(): Promise<void> {
    const { targetInfos } = AllTargets.parse(await this.#cdp.send('Target.getTargets', { filter: PAGES }))
    // Oldest first, so that the newest one ends up as the shown tab.
    for (const info of targetInfos.toReversed()) await this.#attach(info)
    await this.#cdp.send('Target.setDiscoverTargets', { discover: true, filter: PAGES })
  }

  async #attach({ targetId: id, title, url }: TargetInfo): Promise<void> {
    if (this.#tabs.size >= MAX_TABS || this.#tabs.has(id)) return
    const attached = await this.#cdp.send('Target.attachToTarget', { targetId: id, flatten: true })
    const session = Attached.parse(attached).sessionId
    const window = { width: 1, height: 1 }
    const tab: ScreenTab = { id, title, url, session, casting: false, dialog: null, onDialog: null, window }
    this.#tabs.set(id, tab)
    await this.#cdp.send('Page.enable', {}, session)
    this.#choose(id)
    this.#castTab(tab)
    this.#options.onChange()
  }

  #choose(id: string | null): void {
    if (this.#shown === id) return
    this.#shown = id
    this.#frame = null
    this.#options.onChange()
  }

  #castTab(tab: ScreenTab): void {
    if (tab.casting === this.#casting) return
    tab.casting = this.#casting
    const method = tab.casting ? 'Page.startScreencast' : 'Page.stopScreencast'
    // A tab that is closing at this moment refuses.
    this.#cdp.send(method, tab.casting ? CAST : {}, tab.session).catch(() => undefined)
  }

  #current(): ScreenTab {
    const tab = this.#tabs.get(this.#shown ?? '')
    if (!tab) throw new Error('The browser has no page open.')
    return tab
  }

  /** Makes the page behave as in a focused window, which a headless browser does not have. */
  async #prepare(tab: ScreenTab, send: Send): Promise<void> {
    await measure(this.#cdp, tab)
    await send('Emulation.setFocusEmulationEnabled', { enabled: true })
  }

  /** Reads the title after a delay: browsers report a new address and no new title. */
  #readTitleSoon(tab: ScreenTab | undefined): void {
    if (!tab || this.#titlesDue.has(tab.id)) return
    this.#titlesDue.add(tab.id)
    setTimeout(async () => {
      this.#titlesDue.delete(tab.id)
      const answer = await this.#cdp.send('Target.getTargetInfo', { targetId: tab.id }).catch(() => null)
      const { targetInfo } = OneTarget.safeParse(answer).data ?? {}
      if (targetInfo) this.#rename(targetInfo)
    }, TITLE_DELAY_MS)
  }

  #rename({ targetId, title, url }: TargetInfo): void {
    const tab = this.#tabs.get(targetId)
    if (!tab || (tab.title === title && tab.url === url)) return
    Object.assign(tab, { title, url })
    this.#options.onChange()
  }

  #receive({ method, params, session }: CdpEvent): void {
    const tab = [...this.#tabs.values()].find((each) => each.session === session)
    try {
      if (method === 'Target.targetCreated') this.#onCreated(OneTarget.parse(params).targetInfo)
      else if (method === 'Target.targetInfoChanged') this.#rename(OneTarget.parse(params).targetInfo)
      else if (method === 'Target.targetDestroyed') this.#onDestroyed(TargetDestroyed.parse(params).targetId)
      else if (method === 'Page.screencastFrame') this.#onFrame(tab, params, session)
      else if (method === 'Page.loadEventFired') this.#readTitleSoon(tab)
      else if (tab && method === 'Page.screencastVisibilityChanged')
        Visibility.parse(params).visible && this.#choose(tab.id)
      else if (tab && method === 'Page.javascriptDialogOpening') this.#onDialog(tab, params)
      else if (tab && method === 'Page.javascriptDialogClosed') this.#onDialogClosed(tab)
    } catch {
      // Events of another shape than expected are ignored: the browser sends further ones.
    }
  }

  #onCreated(info: TargetInfo): void {
    if (info.type === 'page') this.#attach(info).catch(() => undefined)
  }

  #onDestroyed(id: string): void {
    if (!this.#tabs.delete(id)) return
    if (this.#shown === id) this.#choose([...this.#tabs.keys()].at(-1) ?? null)
    this.#options.onChange()
  }

  #onDialog(tab: ScreenTab, params: unknown): void {
    const { type: kind, message, defaultPrompt: answer = '' } = DialogOpening.parse(params)
    tab.dialog = { kind, message, answer }
    tab.onDialog?.()
    this.#options.onChange()
  }

  #onDialogClosed(tab: ScreenTab): void {
    if (!tab.dialog) return
    tab.dialog = null
    this.#options.onChange()
  }

  #onFrame(tab: ScreenTab | undefined, params: unknown, session: string | null): void {
    const { data, metadata, sessionId } = ScreencastFrame.parse(params)
    // Acknowledged at once: a browser drops the pictures that it makes before, also the last one of a change.
    this.#cdp.send('Page.screencastFrameAck', { sessionId }, session ?? undefined).catch(() => undefined)
    this.#readTitleSoon(tab)
    if (!tab || !this.#casting) return
    tab.window = { width: metadata.deviceWidth, height: metadata.deviceHeight }
    if (tab.id !== this.#shown) return
    this.#frame = { tab: tab.id, data, ...tab.window, at: this.#options.now() }
    this.#options.onChange()
  }
}
