import type { Admission } from '../../host/agent/admission.ts'
import {
  type BrowserLaunch,
  type BrowserProcess,
  type BrowserRuntime,
  PortIsTaken,
  resumeBrowser,
  type SurvivingBrowser,
  startBrowser,
} from '../../host/browsers/browser.ts'
import type { Hold } from '../../host/browsers/gate-talk.ts'
import type { BrowserNote, BrowserUse } from '../../model/browser.ts'
import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { LiveView, type LiveViewOptions, type ViewedBrowser } from './live-view.ts'

export interface BrowserRequest extends Pick<BrowserNote, 'workspace' | 'session' | 'run' | 'agent'> {
  /** Called before each start, so that a replacement gets the settings of its time. */
  launch(): Promise<Pick<BrowserLaunch, 'sandbox' | 'enter' | 'env'>>
  notify(level: 'info' | 'warning', text: string, data?: unknown): void
}

export interface RunBrowserOptions {
  /** Finds the program when one is started. @throws unavailable when there is none */
  readonly program: () => string
  /** Address of a service that gives each connection a browser of its own; null for processes of this machine. */
  readonly endpoint: string | null
  readonly runtime: BrowserRuntime
  readonly admission: Admission
  readonly graceMs: number
  readonly view: LiveViewOptions
  /** Called when `uses` of a workspace may have changed. */
  readonly changed?: (workspace: string) => void
}

/** Most replacements in one run: a browser that ends more often does not help the run. */
const MAX_REPLACED = 5
/** Most blocked hosts that one run gets a notice of. */
const MAX_BLOCKED = 10

/** A hold, through all processes that follow each other. */
interface Holder {
  /** The hold on the current process; null until it is taken. */
  at: Hold | null
  readonly over: PromiseWithResolvers<void>
}

/**
 * The browser of one run. Its process may be replaced, at the same address: a process that ends by itself is followed
 * by another one, and holds carry over to it. A browser of a service has no process here.
 */
export class RunBrowser implements ViewedBrowser {
  readonly request: BrowserRequest
  /** Time of the request's grant. ms since 1970. */
  readonly since: number
  readonly view: LiveView
  readonly #options: RunBrowserOptions
  /** Aborted when the pool closes: ends starts that are under way. */
  readonly #closing: AbortSignal
  readonly #over = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #holders = new Set<Holder>()
  readonly #blocked = new Set<string>()
  #port = 0
  #running: BrowserProcess | null = null
  /** A start, resume or replacement under way. Never rejects. */
  #starting: Promise<void> | null = null
  #replaced = 0

  constructor(request: BrowserRequest, options: RunBrowserOptions, closing: AbortSignal) {
    this.request = request
    this.since = options.runtime.now()
    this.#options = options
    this.#closing = closing
    this.view = new LiveView(this, options.view)
  }

  /** The address of its CDP. Runs of one conversation get the same one if possible, so that their agent process can stay. */
  get url(): string {
    return this.#options.endpoint ?? `http://127.0.0.1:${this.#port}`
  }

  /** Its port on the loopback; 0 until one is found. */
  get port(): number {
    return this.#port
  }

  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Resolves once it has ended, or was left to run on without this server. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get use(): BrowserUse {
    const { run, session, agent } = this.request
    const ready = this.#running !== null || this.#options.endpoint !== null
    const state = ready ? 'ready' : 'starting'
    return {
      run,
      session,
      agent,
      state,
      since: this.since,
      before: null,
      replaced: this.#replaced,
      holder: this.view.holder,
    }
  }

  async start(attempt: () => Promise<void>): Promise<void> {
    const started = attempt()
    this.#track(started)
    await started
  }

  /** Starts a process at `port`. @throws PortIsTaken; unavailable with the reason */
  async startAt(port: number, signal: AbortSignal): Promise<void> {
    this.#port = port
    const { admission, program, runtime, graceMs } = this.#options
    const cancelled = AbortSignal.any([signal, this.over, this.#closing])
    const { workspace, session, run, agent } = this.request
    const launch = await this.request.launch()
    const note = { workspace, session, run, agent, port, at: runtime.now() }
    const release = await admission.acquire(cancelled)
    const held = this.#holders.size > 0
    try {
      const onBlocked = (target: string) => this.#reportBlocked(target)
      const all = { ...launch, program: program(), note, onBlocked, held, graceMs, signal: cancelled }
      this.#running = await startBrowser(all, runtime)
    } finally {
      release()
    }
    this.#watch(this.#running)
    this.changed()
    if (held) await this.#carryHolds(this.#running)
  }

  /** Reconnects to the process of an earlier server, or replaces it when it has ended. Returns at once. */
  resume(surviving: SurvivingBrowser): void {
    this.#port = surviving.note.port
    this.#track(this.#resume(surviving))
  }

  async running(): Promise<BrowserProcess> {
    await this.#starting
    if (this.#running !== null && !this.over.aborted) return this.#running
    throw new CarrelError('gone', 'This run has no browser any more.')
  }

  /** Pauses the agent until released, also in processes that replace this one. @throws gone when the run has none any more */
  async hold(): Promise<Hold> {
    const running = await this.running()
    const holder: Holder = { at: null, over: Promise.withResolvers() }
    this.#holders.add(holder)
    try {
      await this.#holdAt(holder, running)
    } catch (thrown) {
      this.#endHold(holder)
      throw thrown
    }
    return { release: () => this.#endHold(holder), over: holder.over.promise }
  }

  /** Ends the browser and removes its files. Idempotent; does nothing after `leave`. Never rejects. */
  async release(): Promise<void> {
    if (!this.over.aborted) {
      this.#abort()
      await this.#starting
      await this.#running?.end()
      this.#ended.resolve()
    }
    await this.ended
  }

  /** Lets browser and run go on without this server. */
  leave(): void {
    if (this.over.aborted) return
    this.#abort()
    // A process that is being resumed at this moment is left once it is connected.
    void Promise.resolve(this.#starting).then(() => {
      this.#running?.leave()
      this.#ended.resolve()
    })
  }

  notify(text: string): void {
    this.request.notify('info', text)
  }

  changed(): void {
    this.#options.changed?.(this.request.workspace)
  }

  #abort(): void {
    this.#over.abort()
    for (const holder of [...this.#holders]) this.#endHold(holder)
  }

  #track(task: Promise<void>): void {
    const starting = task
      .catch(() => undefined)
      .finally(() => {
        if (this.#starting === starting) this.#starting = null
      })
    this.#starting = starting
  }

  #watch(running: BrowserProcess): void {
    void running.exited.then(({ signal, code }) => {
      if (this.over.aborted || this.#running !== running) return
      this.#running = null
      this.changed()
      this.#track(this.#replace(running, signal ?? `exit code ${code}`))
    })
  }

  async #resume(surviving: SurvivingBrowser): Promise<void> {
    const onBlocked = (target: string) => this.#reportBlocked(target)
    let how = 'while the server was down'
    try {
      this.#running = await resumeBrowser(surviving, this.#options.runtime, onBlocked)
    } catch (thrown) {
      how = `it could not be resumed: ${messageOf(thrown)}`
    }
    this.changed()
    if (this.#running) this.#watch(this.#running)
    else await this.#replace(null, how)
  }

  /** Starts another process after one that ended by itself. Never throws: the session gets a notice. */
  async #replace(ended: BrowserProcess | null, how: string): Promise<void> {
    await ended?.end()
    const warn = (text: string) => this.request.notify('warning', `The browser of this run ended (${how}). ${text}`)
    if (this.#replaced >= MAX_REPLACED) return warn('After so many replacements it gets no other.')
    this.#replaced += 1
    try {
      await this.startAt(this.#port, this.over)
      warn(REPLACED)
    } catch (thrown) {
      const why = thrown instanceof PortIsTaken ? `${thrown.message}.` : asCarrelError(thrown).message
      if (!this.over.aborted) warn(`No other browser could be started: ${why}`)
    }
  }

  async #holdAt(holder: Holder, running: BrowserProcess): Promise<void> {
    const at = await running.hold()
    if (this.#holders.has(holder)) holder.at = at
    else at.release()
  }

  #endHold(holder: Holder): void {
    this.#holders.delete(holder)
    holder.at?.release()
    holder.over.resolve()
  }

  /** Takes the holds at a process that was started as held: its gate passes on nothing before the first release. */
  async #carryHolds(running: BrowserProcess): Promise<void> {
    const first = await running.hold().catch(() => null)
    // A rejection means that this process has ended too: the next one gets the holds.
    await Promise.allSettled([...this.#holders].map((holder) => this.#holdAt(holder, running)))
    first?.release()
  }

  /** Reports each host once, and a limited number: pages load from many. */
  #reportBlocked(target: string): void {
    if (this.#blocked.has(target) || this.#blocked.size >= MAX_BLOCKED) return
    this.#blocked.add(target)
    this.notify(
      `The sandbox blocked the browser of this run from ${target}. To allow it, add the host to the hosts of this Space.`,
    )
  }
}

const REPLACED = 'A new one runs at the same address; pages and logins of the old one are gone.'
