import { type AfterwordSource, Afterwords } from './afterwords.ts'

/** The process of afterwords, or its remains. */
export interface Origin {
  /** Nothing more will come. */
  readonly ended: boolean
  /** Removes its files. */
  forget(): Promise<void>
  /** Notes a message after a run. */
  heard?(): void
}

/** The afterwords of all conversations of this node, also of ended processes until they are in the log. */
export class AfterwordQueues {
  readonly #queues = new Map<Afterwords, Origin>()
  readonly #listeners = new Set<(queue: Afterwords) => void>()
  readonly #forgetting = new Set<Promise<void>>()

  add(from: AfterwordSource, origin: Origin): Afterwords {
    const queue = new Afterwords(from, (kept) => {
      origin.heard?.()
      if (kept.listener === null) for (const listener of [...this.#listeners]) listener(kept)
    })
    this.#queues.set(queue, origin)
    return queue
  }

  /** Calls the listener with each queue that gets an afterword while no holder listens to it. Returns the way to stop. */
  onKept(listener: (queue: Afterwords) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The queues of a session's conversations, and of those that ended with something unrecorded. */
  of(session: string): Afterwords[] {
    return [...this.#queues.keys()].filter(({ from }) => from.session === session)
  }

  /** Whether something that a process sent is not in the log. */
  hasFrom(keeper: string): boolean {
    return [...this.#queues.keys()].some(({ from, length }) => length > 0 && from.connection.keeper === keeper)
  }

  /** Gives up the afterwords of a session that was deleted. */
  drop(session: string): void {
    for (const queue of this.of(session)) queue.drop()
  }

  /**
   * The queues with something unrecorded. Forgets closed conversations and ended processes without one.
   * @param open the queues of open conversations
   */
  unrecorded(open: ReadonlySet<Afterwords>): Afterwords[] {
    for (const [queue, origin] of [...this.#queues]) {
      if (queue.length > 0) continue
      if (origin.ended) this.sweep(origin)
      else if (queue.session !== null && !open.has(queue)) this.#queues.delete(queue)
    }
    return [...this.#queues.keys()].filter(({ length }) => length > 0)
  }

  /** Removes the spool of an ended process once everything that the agent sent is in the log. */
  sweep(origin: Origin): void {
    const own = [...this.#queues].filter(([, of]) => of === origin).map(([queue]) => queue)
    if (own.some(({ length }) => length > 0)) return
    for (const queue of own) this.#queues.delete(queue)
    const task = origin.forget()
    this.#forgetting.add(task)
    void task.then(() => this.#forgetting.delete(task))
  }

  /** Resolves when no spool is being removed. */
  async idle(): Promise<void> {
    await Promise.all(this.#forgetting)
  }
}
