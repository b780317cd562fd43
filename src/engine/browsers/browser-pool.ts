import { createHash } from 'node:crypto'
import { PortIsTaken, removeBrowser, type SurvivingBrowser } from '../../host/browsers/browser.ts'
import { FIRST_PORT, freePorts, PORT_COUNT } from '../../host/ports.ts'
import type { BrowserUse } from '../../model/browser.ts'
import { CarrelError } from '../../model/errors.ts'
import { createSlots, type Slots } from '../slots.ts'
import { type BrowserRequest, RunBrowser, type RunBrowserOptions } from './run-browser.ts'

export interface BrowserPoolOptions extends RunBrowserOptions {
  /** Most browsers at once, in all workspaces. */
  readonly most: number
  /** Longest wait for one. ms. */
  readonly waitMs: number
  readonly surviving: readonly SurvivingBrowser[]
  readonly leasedPorts: () => Promise<readonly number[]>
}

const PORT_TRIES = 8

/** The browsers of this node: each belongs to one run, has a profile of its own, and there are never more than allowed. */
export class BrowserPool {
  readonly #options: BrowserPoolOptions
  readonly #slots: Slots<BrowserRequest>
  readonly #browsers = new Set<RunBrowser>()
  /** Browsers of earlier servers that no run has rejoined, by run. */
  readonly #surviving: Map<string, SurvivingBrowser>
  /** Port of the last browser, by conversation. */
  readonly #lastPorts = new Map<string, number>()
  readonly #closing = new AbortController()

  constructor(options: BrowserPoolOptions) {
    const { most, waitMs, surviving, runtime } = options
    this.#options = options
    this.#surviving = new Map(surviving.map((each) => [String(each.note.run), each]))
    const messages = { cancelled: 'The wait for a browser was cancelled.', tooLong: tooLong(most, waitMs) }
    this.#slots = createSlots({ most, waitMs, now: runtime.now, messages })
    for (const _ of surviving) this.#slots.take()
  }

  get most(): number {
    return this.#options.most
  }

  get taken(): number {
    return this.#slots.taken
  }

  /** Starts a browser for a run; requests wait in FIFO order. @throws unavailable when none becomes free in time, or none starts */
  async lease(request: BrowserRequest, signal: AbortSignal): Promise<RunBrowser> {
    const { most, endpoint } = this.#options
    await this.#slots
      .wait(request, AbortSignal.any([signal, this.#closing.signal]), (before) => {
        request.notify('info', waitNotice(most, before))
        this.#changed(request)
      })
      .finally(() => this.#changed(request))
    const browser = this.#add(request)
    try {
      if (endpoint === null) await browser.start(() => this.#startAtFreePort(browser, signal))
      return browser
    } catch (thrown) {
      await browser.release()
      throw thrown
    }
  }

  /**
   * Returns the browser that the run had under an earlier server, or one that replaces it; null when none is known.
   * Does not wait for the connection: the agent is about to be rejoined, and has the address already.
   */
  rejoin(request: BrowserRequest): RunBrowser | null {
    if (this.#options.endpoint !== null) {
      this.#slots.take()
      return this.#add(request)
    }
    const surviving = this.#surviving.get(request.run)
    if (!surviving) return null
    // The slot that was taken for the surviving browser is this run's from now on.
    this.#surviving.delete(request.run)
    const browser = this.#add(request)
    browser.resume(surviving)
    this.#lastPorts.set(conversationOf(request), browser.port)
    return browser
  }

  /** Returns the browser of a run on this machine; null where it has none, waits for one, or uses a service. */
  of(run: string): RunBrowser | null {
    if (this.#options.endpoint !== null) return null
    return [...this.#browsers].find(({ request }) => request.run === run) ?? null
  }

  /** Lists the runs that have a browser, then those that wait, in their order. */
  uses(workspace: string): BrowserUse[] {
    const own = [...this.#browsers].filter(({ request }) => request.workspace === workspace)
    const waiting = this.#slots.waiting.flatMap(({ who, since }, before): BrowserUse[] => {
      const { run, session, agent } = who
      if (who.workspace !== workspace) return []
      return [{ run, session, agent, state: 'waiting', since, before, replaced: 0, holder: null }]
    })
    return [...own.map(({ use }) => use), ...waiting]
  }

  /** Ends the browsers of earlier servers that no run has rejoined. */
  async dropSurviving(): Promise<void> {
    const left = [...this.#surviving.values()]
    this.#surviving.clear()
    await Promise.all(
      left.map((each) => removeBrowser(each, this.#options.runtime).finally(() => this.#slots.giveBack())),
    )
  }

  /** Hands all browsers back to their agents because the server stops. */
  stopViews(): void {
    for (const { view } of this.#browsers) view.stop()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#browsers].map((browser) => browser.release()))
  }

  #changed({ workspace }: BrowserRequest): void {
    this.#options.changed?.(workspace)
  }

  #add(request: BrowserRequest): RunBrowser {
    const browser = new RunBrowser(request, this.#options, this.#closing.signal)
    this.#browsers.add(browser)
    void browser.ended.then(() => {
      this.#browsers.delete(browser)
      this.#slots.giveBack()
      this.#changed(request)
    })
    this.#changed(request)
    return browser
  }

  /** Starts at the port of the conversation's last browser if it is free, else at the next free one. */
  async #startAtFreePort(browser: RunBrowser, signal: AbortSignal): Promise<void> {
    const conversation = conversationOf(browser.request)
    await this.#endOfLast(browser)
    const others = () => [...this.#browsers].filter((other) => other !== browser).map(({ port }) => port)
    const taken = new Set([...(await this.#options.leasedPorts()), ...others()])
    const from = this.#lastPorts.get(conversation) ?? FIRST_PORT + hashOf(conversation)
    for (const port of await freePorts(from - FIRST_PORT, PORT_TRIES, taken)) {
      if (others().includes(port)) continue
      this.#lastPorts.set(conversation, port)
      try {
        return await browser.startAt(port, signal)
      } catch (thrown) {
        if (!(thrown instanceof PortIsTaken)) throw thrown
      }
    }
    throw new CarrelError('unavailable', 'No browser could be started: no port was free for one. Prompt again.')
  }

  /** Waits for the end of the conversation's last browser, which frees its port. */
  async #endOfLast({ request }: RunBrowser): Promise<void> {
    const conversation = conversationOf(request)
    const ending = [...this.#browsers].filter(
      ({ request: other, over }) => other !== request && over.aborted && conversationOf(other) === conversation,
    )
    await Promise.all(ending.map(({ ended }) => ended))
  }
}

const conversationOf = ({ session, agent }: BrowserRequest): string => `${session} ${agent}`

/** Where the search for a port begins: a hash, so that two conversations seldom meet. */
const hashOf = (conversation: string) => createHash('sha256').update(conversation).digest().readUInt32BE(0) % PORT_COUNT

const inUse = (most: number): string => (most === 1 ? 'the only one is in use' : `all ${most} are in use`)

function waitNotice(most: number, before: number): string {
  const queue = before === 0 ? '' : `, and ${before} ${before === 1 ? 'waits' : 'wait'} before it`
  return `This run waits for a browser: ${inUse(most)}${queue}.`
}

const tooLong = (most: number, waitMs: number): string =>
  `No browser became free within ${Math.round(waitMs / 60_000)} min: ${inUse(most)}. Cancel a run that has one (\`carrel env browsers\`), allow more (browsersAtOnce), or prompt again later.`
