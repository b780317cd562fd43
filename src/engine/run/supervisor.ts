import { asCarrelError } from '../../model/errors.ts'
import type { SessionId, WorkspaceId } from '../../model/ids.ts'
import type { AfterwordSource } from '../agents/afterwords.ts'
import type { ArrivingPrompt } from '../arriving-prompt.ts'
import type { Context } from '../context.ts'
import { loadFold } from '../folding.ts'
import { holdSession } from './holder.ts'

/** How often due sessions are searched without a ring, and leases that ran out on other nodes. ms. */
const SEARCH_MS = 1_000
/** How long a holder's unrecorded afterwords wait for the next holder. ms. */
const LISTEN_AGAIN_MS = { held: 50, refused: 1_000 } as const
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
  /** Sessions that are held for afterwords alone, and count for no run. */
  readonly #listening = new Set<string>()
  readonly #failures = new Map<string, { count: number; until: number; message: string }>()
  readonly #pausing = new Map<string, NodeJS.Timeout>()
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
      ctx.pool.afterwords.onKept(({ from }) => this.#listenTo(from)),
    ]
    this.#search()
  }

  get held(): number {
    return this.#holding.size - this.#listening.size
  }

  /** Takes no new session, waits for the held ones, and gives their leases back (S4). */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#ctx.leases.hurry()
    for (const stop of this.#stops) stop()
    for (const timer of this.#pausing.values()) clearTimeout(timer)
    await this.#searching
    await Promise.allSettled(this.#holding.values())
  }

  get #isFull(): boolean {
    return this.held >= this.#ctx.config.runsAtOnce
  }

  /** Holds a session to record what its agent sent after a run. */
  #listenTo({ session, workspace }: Pick<AfterwordSource, 'session' | 'workspace'>): void {
    if (this.#stopping.signal.aborted || this.#pausing.has(session)) return
    if (this.#hold(session, workspace, null)) this.#listening.add(session)
  }

  /** Afterwords that a holder left unrecorded wait a moment: another node may have the session, or all room is taken. */
  #pause(session: string, held: boolean): void {
    if (this.#pausing.has(session) || this.#ctx.pool.afterwords.of(session).every(({ length }) => length === 0)) return
    const timer = setTimeout(
      () => {
        this.#pausing.delete(session)
        this.#search()
      },
      LISTEN_AGAIN_MS[held ? 'held' : 'refused'],
    )
    this.#pausing.set(session, timer.unref())
  }

  #listens(session: string): void {
    if (this.#listening.has(session)) return
    this.#listening.add(session)
    this.#search()
  }

  /** Lets a session that is held for afterwords begin a run, if there is room. */
  #mayRun(session: string): boolean {
    if (this.#listening.has(session) && this.#isFull) return false
    this.#listening.delete(session)
    return true
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
    const { config, store, machines, now, pool } = this.#ctx
    for (const { from } of pool.unrecorded()) this.#listenTo(from)
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
    const task = this.#holdUntilRest(session, workspace, arriving).then((held) => {
      this.#holding.delete(session)
      this.#listening.delete(session)
      this.#pause(session, held)
      this.#search()
    })
    this.#holding.set(session, task)
    return true
  }

  /** Returns whether this node had the lease. Never rejects. */
  async #holdUntilRest(session: SessionId, workspace: WorkspaceId, arriving: ArrivingPrompt | null): Promise<boolean> {
    const { leases, machines, store, log } = this.#ctx
    const lease = leases.claim(`session:${session}`)
    if (!lease) {
      void arriving?.submit(null)
      return false
    }
    let held = false
    try {
      const [machine, row, loaded] = await Promise.all([
        store.machines.ofSession(session),
        store.tree.session(workspace, session),
        loadFold(store, session),
      ])
      // Its machine does the work, and nobody else: here may be another folder of the same name (N1).
      if (machine !== machines.here.id) return false
      const lostBy = this.#failures.get(session)?.message ?? null
      const mayRun = () => this.#mayRun(session)
      const listens = () => this.#listens(session)
      const holding = { lease, loaded, stopping: this.#stopping.signal, arriving, lostBy, mayRun, listens }
      if (!row) this.#ctx.pool.afterwords.drop(session)
      else await holdSession(this.#ctx, { ...holding, session: row })
      this.#failures.delete(session)
    } catch (thrown) {
      this.#failed(session, thrown, lease.taken)
    } finally {
      held = lease.taken
      // The prompt is written, even if its session could not be held.
      void arriving?.submit(null)
      await lease.release().catch((thrown) => log.warn(`The lease of ${session} could not be released.`, thrown))
    }
    return held
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
