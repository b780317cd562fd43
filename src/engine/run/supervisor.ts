import { asCarrelError } from '../../model/errors.ts'
import type { SessionId, WorkspaceId } from '../../model/ids.ts'
import type { ArrivingPrompt } from '../arriving-prompt.ts'
import type { Context } from '../context.ts'
import { loadFold } from '../folding.ts'
import { holdSession } from './holder.ts'

/** How often due sessions are searched without a ring, and leases that ran out on other nodes. ms. */
const SEARCH_MS = 1_000
/** A session that could not be held is left alone for a while, by the number of failures. ms. */
const RETRY_MS = [250, 1_000, 5_000, 15_000]

/**
 * Finds due sessions of this machine that nobody holds, takes their lease and holds them until they rest. A session stays due until it
 * is settled, so crash, restart and takeover need nothing else.
 */
export class Supervisor {
  readonly #ctx: Context
  readonly #stopping = new AbortController()
  readonly #holding = new Map<string, Promise<void>>()
  readonly #failures = new Map<string, { count: number; until: number; message: string }>()
  readonly #stops: readonly (() => void)[]
  #searching: Promise<void> | null = null
  #searchAgain = false

  constructor(ctx: Context) {
    this.#ctx = ctx
    const timer = setInterval(() => this.#search(), SEARCH_MS)
    timer.unref()
    this.#stops = [
      () => clearInterval(timer),
      ctx.bell.listen(null, (ring) => {
        if (ring.due && !this.#holding.has(ring.log)) this.#search()
      }),
      ctx.promptDoor.onPrompt((arriving) => {
        if (this.#stopping.signal.aborted || this.#isFull) return false
        return this.#hold(arriving.session, arriving.workspace, arriving)
      }),
    ]
    this.#search()
  }

  get held(): number {
    return this.#holding.size
  }

  /** Takes no new session, waits for the held ones, and gives their leases back (S4). */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#ctx.leases.hurry()
    for (const stop of this.#stops) stop()
    await this.#searching
    await Promise.allSettled(this.#holding.values())
  }

  get #isFull(): boolean {
    return this.#holding.size >= this.#ctx.config.runsAtOnce
  }

  #search(): void {
    if (this.#stopping.signal.aborted || this.#ctx.config.runsAtOnce === 0) return
    if (this.#searching) {
      this.#searchAgain = true
      return
    }
    this.#searching = this.#searchOnce()
      .catch((thrown) => this.#ctx.log.warn('The search for due sessions failed; trying again.', thrown))
      .finally(() => {
        this.#searching = null
        const again = this.#searchAgain
        this.#searchAgain = false
        if (again) this.#search()
      })
  }

  async #searchOnce(): Promise<void> {
    const { config, store, machines, now } = this.#ctx
    if (this.#isFull) return
    const due = await store.log.due(machines.here.id, now(), config.runsAtOnce)
    for (const { session, workspace } of due) {
      if (this.#stopping.signal.aborted || this.#isFull) return
      this.#hold(session, workspace, null)
    }
  }

  /** Begins to hold a session; false while this node holds it, or has just failed to. */
  #hold(session: SessionId, workspace: WorkspaceId, arriving: ArrivingPrompt | null): boolean {
    if (this.#holding.has(session)) return false
    const failed = this.#failures.get(session)
    if (failed && failed.until > this.#ctx.now()) return false
    const task = this.#holdUntilRest(session, workspace, arriving).finally(() => {
      this.#holding.delete(session)
      this.#search()
    })
    this.#holding.set(session, task)
    return true
  }

  async #holdUntilRest(session: SessionId, workspace: WorkspaceId, arriving: ArrivingPrompt | null): Promise<void> {
    const { leases, machines, store, log } = this.#ctx
    const lease = leases.claim(`session:${session}`)
    if (!lease) return void arriving?.submit(null)
    try {
      const [machine, row, loaded] = await Promise.all([
        store.machines.ofSession(session),
        store.tree.session(workspace, session),
        loadFold(store, session),
      ])
      // Its machine does the work, and nobody else: here may be another folder of the same name (N1).
      if (machine !== machines.here.id) return
      const lostBy = this.#failures.get(session)?.message ?? null
      const holding = { lease, loaded, stopping: this.#stopping.signal, arriving, lostBy }
      if (row) await holdSession(this.#ctx, { ...holding, session: row })
      this.#failures.delete(session)
    } catch (thrown) {
      this.#failed(session, thrown, lease.taken)
    } finally {
      // The prompt is written, even if its session could not be held.
      void arriving?.submit(null)
      await lease.release().catch((thrown) => log.warn(`The lease of ${session} could not be released.`, thrown))
    }
  }

  #failed(session: SessionId, thrown: unknown, taken: boolean): void {
    const error = asCarrelError(thrown)
    // Another node was first.
    if (!taken && (error.code === 'lease_lost' || error.code === 'busy')) return
    const before = this.#failures.get(session)
    const count = (before?.count ?? 0) + 1
    const wait = RETRY_MS[Math.min(count, RETRY_MS.length) - 1] ?? 0
    this.#failures.set(session, { count, until: this.#ctx.now() + wait, message: before?.message ?? error.message })
    const cause = error.code === 'internal' ? error.cause : undefined
    this.#ctx.log.warn(`Session ${session} could not be held: ${error.message}`, cause)
  }
}
