import type { BrowserProcess } from '../../host/browsers/browser.ts'
import type { Hold } from '../../host/browsers/gate-talk.ts'
import { Screen } from '../../host/browsers/screen.ts'
import type {
  BrowserFrame,
  BrowserHolder,
  BrowserInput,
  BrowserScene,
  BrowserTab,
  Sight,
} from '../../model/browser-sight.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Who } from '../../model/tree.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { createSerial } from '../../primitives/serial.ts'
import { createTimer, type Timer } from '../../primitives/timers.ts'
import { createSignal, type WakeSignal } from '../../primitives/wake-signal.ts'

export interface ViewedBrowser {
  /** The process of the moment, or the one that replaces it. @throws gone when the run has no browser any more */
  running(): Promise<Pick<BrowserProcess, 'directSocket'>>
  /** Pauses the agent's commands until released. @throws gone when the run has no browser any more */
  hold(): Promise<Hold>
  /** Aborted when the run no longer needs its browser. */
  readonly over: AbortSignal
  notify(text: string): void
  /** Called when the holder may have changed. */
  changed(): void
}

export interface LiveViewOptions {
  readonly now: () => number
  readonly id: () => string
  /** How long a person keeps the browser without watching or acting. ms. */
  readonly idleMs: number
}

export const TAKEOVER_IDLE_MS = 180_000
/** Shortest time between two pictures for one viewer. ms. */
const FRAME_MS = 60
/** Time between attempts to reach a browser while somebody watches. ms. */
const RETRY_MS = 1_000

interface Takeover extends BrowserHolder {
  readonly id: string
  readonly hold: Hold
  readonly idle: Timer
}

/** The live view of one run's browser: many people watch, one at a time takes it over. */
export class LiveView {
  readonly #browser: ViewedBrowser
  readonly #options: LiveViewOptions
  readonly #viewers = new Set<WakeSignal>()
  #screen: Screen | null = null
  #opening: Promise<Screen> | null = null
  #takeover: Takeover | null = null
  /** True from the request until the browser is held: a second request fails meanwhile. */
  #takingOver = false
  readonly #actions = createSerial()
  #acting = 0

  constructor(browser: ViewedBrowser, options: LiveViewOptions) {
    this.#browser = browser
    this.#options = options
    browser.over.addEventListener('abort', () => this.#end(), { once: true })
  }

  /** The person who has taken the browser over; null while it is the agent's. */
  get holder(): BrowserHolder | null {
    return this.#takeover && { by: this.#takeover.by, since: this.#takeover.since }
  }

  /**
   * Yields the scene at once and after each change, and the newest picture. A slow reader misses pictures; nothing
   * queues. The browser makes pictures only while somebody watches. Ends when the run no longer needs its browser.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<Sight> {
    const over = AbortSignal.any([signal, this.#browser.over])
    const viewer = createSignal()
    this.#viewers.add(viewer)
    over.addEventListener('abort', viewer.wake)
    this.#screen?.cast(true)
    this.#restartIdleTimer()
    try {
      yield* this.#sights(viewer, over)
      if (this.#browser.over.aborted && !signal.aborted) yield { kind: 'ended' }
    } finally {
      this.#viewers.delete(viewer)
      over.removeEventListener('abort', viewer.wake)
      if (this.#viewers.size === 0) this.#screen?.cast(false)
      this.#restartIdleTimer()
      this.#closeUnused()
    }
  }

  /**
   * Takes the browser over: the agent's commands wait from now on.
   * @throws busy while another person has it; gone when the run has no browser any more
   */
  async takeOver(by: Who): Promise<{ hold: string; holder: BrowserHolder }> {
    this.#refuseSecond()
    this.#takingOver = true
    try {
      const hold = await this.#browser.hold()
      const { id, now } = this.#options
      const takeover: Takeover = { id: id(), by, since: now(), hold, idle: createTimer() }
      this.#takeover = takeover
      this.#browser.notify(`${by.name} took over the browser of this run. The agent waits when it uses it.`)
      void hold.over.then(() => {
        if (this.#takeover === takeover) this.#release()
      })
      this.#restartIdleTimer()
      this.#browser.changed()
      this.#wakeViewers()
      return { hold: takeover.id, holder: { by, since: takeover.since } }
    } finally {
      this.#takingOver = false
      this.#closeUnused()
    }
  }

  /** Gives the browser back to the agent. `hold` null: whichever takeover there is. False when there is none of that id. */
  handBack(hold: string | null, by: Who): boolean {
    const takeover = this.#takeover
    if (!takeover || (hold !== null && takeover.id !== hold)) return false
    const before = takeover.by.name === by.name ? '' : `, which ${takeover.by.name} had`
    this.#release()
    this.#browser.notify(`${by.name} handed the browser of this run back to the agent${before}.`)
    return true
  }

  /**
   * Dispatches inputs in order, after those sent before.
   * @throws gone when the browser was handed back meanwhile; unavailable when the browser refuses
   */
  async input(hold: string, inputs: readonly BrowserInput[]): Promise<void> {
    this.#requireHold(hold)
    this.#restartIdleTimer()
    await this.#act(async (screen) => {
      // The takeover may have ended while earlier inputs were dispatched.
      this.#requireHold(hold)
      await screen.act(inputs)
    })
  }

  /** Shows another tab to all viewers. With a `hold` it is brought to the front of the browser too. */
  async show(tab: string, hold: string | null): Promise<void> {
    if (hold !== null) this.#requireHold(hold)
    await this.#act((screen) => screen.show(tab, hold !== null))
  }

  /** Takes a picture of the shown tab. @throws unavailable when there is none */
  async picture(): Promise<BrowserFrame & BrowserTab> {
    return await this.#act((screen) => screen.picture())
  }

  /** Hands the browser back because the server stops. */
  stop(): void {
    if (this.#takeover) {
      this.#release()
      this.#browser.notify('The browser was handed back to the agent: the server stops.')
    }
    this.#screen?.close()
  }

  async *#sights(viewer: WakeSignal, over: AbortSignal): AsyncGenerator<Sight> {
    let lastScene = ''
    let lastFrame: BrowserFrame | null = null
    let lastFrameAt = Number.NEGATIVE_INFINITY
    while (!over.aborted) {
      viewer.reset()
      // A browser that is being replaced, or not reachable yet, is tried again while somebody watches.
      if (this.#screen === null) void this.#open().catch(() => undefined)
      const scene = this.#scene()
      const text = JSON.stringify(scene)
      if (text !== lastScene) {
        lastScene = text
        yield { kind: 'scene', scene }
      }
      const frame: BrowserFrame | null = this.#screen?.frame ?? null
      const isNew = frame !== null && frame !== lastFrame
      const dueMs = lastFrameAt + FRAME_MS - performance.now()
      if (isNew && dueMs <= 0) {
        lastFrame = frame
        lastFrameAt = performance.now()
        yield { kind: 'frame', frame }
        continue
      }
      await viewer.wait(isNew ? Math.max(dueMs, 1) : this.#screen === null ? RETRY_MS : null)
    }
  }

  #scene(): BrowserScene {
    const screen = this.#screen
    return {
      state: screen === null ? 'starting' : 'live',
      tabs: [...(screen?.tabs ?? [])],
      shown: screen?.shown ?? null,
      dialog: screen?.dialog ?? null,
      holder: this.holder,
    }
  }

  /** Returns the open screen, or opens one, also of a browser that has replaced another. @throws gone; unavailable */
  #open(): Promise<Screen> {
    if (this.#screen) return Promise.resolve(this.#screen)
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #connect(): Promise<Screen> {
    const { directSocket } = await this.#browser.running()
    const options = { now: this.#options.now, onChange: () => this.#wakeViewers() }
    const screen = await Screen.open(directSocket, options).catch((thrown) => {
      const text = 'The browser of this run cannot be reached just now. Try again.'
      throw new CarrelError('unavailable', text, undefined, thrown)
    })
    this.#screen = screen
    screen.cast(this.#viewers.size > 0)
    void screen.closed.then(() => {
      this.#screen = null
      this.#wakeViewers()
    })
    this.#wakeViewers()
    return screen
  }

  async #act<T>(work: (screen: Screen) => Promise<T>): Promise<T> {
    this.#acting += 1
    try {
      const screen = await this.#open()
      return await this.#actions.run(() => work(screen))
    } catch (thrown) {
      if (thrown instanceof CarrelError) throw thrown
      throw new CarrelError('unavailable', `The browser of this run refused: ${messageOf(thrown)}`, undefined, thrown)
    } finally {
      this.#acting -= 1
      this.#closeUnused()
    }
  }

  #refuseSecond(): void {
    if (!this.#takeover && !this.#takingOver) return
    const state = this.#takeover ? `${this.#takeover.by.name} has taken it over` : 'Another person is taking it over'
    const text = `${state}. Wait until it is handed back, or hand it back for them.`
    throw new CarrelError('busy', text, { holder: this.holder })
  }

  #requireHold(hold: string): void {
    if (this.#takeover?.id === hold) return
    const state = this.#takeover ? `${this.#takeover.by.name} has it now` : 'the agent has it again'
    throw new CarrelError('gone', `You no longer have this browser: ${state}. Take it over again.`)
  }

  #release(): void {
    const takeover = this.#takeover
    if (!takeover) return
    this.#takeover = null
    takeover.idle.stop()
    takeover.hold.release()
    this.#browser.changed()
    this.#wakeViewers()
    this.#closeUnused()
  }

  /** Hands the browser back after a while in which nobody watches or acts. */
  #restartIdleTimer(): void {
    const takeover = this.#takeover
    if (!takeover) return
    takeover.idle.stop()
    if (this.#viewers.size > 0) return
    takeover.idle.start(this.#options.idleMs, () => {
      this.#release()
      this.#browser.notify(`The browser was handed back to the agent: ${takeover.by.name} no longer watched it.`)
    })
  }

  #wakeViewers(): void {
    for (const viewer of this.#viewers) viewer.wake()
  }

  /** Closes the screen when nobody watches, has the browser or acts in it. */
  #closeUnused(): void {
    const used = this.#viewers.size > 0 || this.#takeover || this.#takingOver || this.#acting > 0
    if (!used || this.#browser.over.aborted) this.#screen?.close()
  }

  #end(): void {
    this.#release()
    this.#wakeViewers()
    this.#closeUnused()
  }
}
