import type { Question } from '../../../model/interaction.ts'
import { resolvesWithin } from '../../../primitives/timers.ts'
import type { PlaceActivity } from '../../files/place-activity.ts'
import { createPresence, type Presence } from '../../files/presence.ts'
import type { ToolPaths } from '../../files/tool-paths.ts'

/** A run that waited longer for its agent scans again, since people may have written meanwhile. ms. */
const AGAIN_MS = 50
/** An agent that only speaks, all the time, is noted this often. ms. */
const NOTED_MS = 100
/** A prompt or an answer waits no longer for the scans before it. ms. */
const SCAN_MS = 1_000
/** A question, or the end of a wait for one, waits no longer for the scan that is under way. ms. */
const ASK_MS = 10_000

interface Parts {
  readonly activity: PlaceActivity
  readonly paths: ToolPaths
  readonly now: () => number
  readonly onFailure: (thrown: unknown) => void
}

/**
 * Notes the times at which a run could write. The run begins when its agent gets the prompt. While a person has to
 * answer a question, the run is not at work; a scan at both ends of the wait keeps the changes of both sides apart.
 */
export class RunTimes {
  readonly presence: Presence = createPresence()
  readonly #parts: Parts
  #clock: (() => number) | null = null
  #scanned = 0
  #heard = 0
  #begun = false
  #since: number | null = null
  #open = 0
  #resuming: Promise<void> = Promise.resolve()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @param clock reads the clock that stamps files */
  ready(clock: () => number): void {
    this.#clock = clock
    // The run did not wait for a late history.
    if (this.#begun) this.#start()
  }

  /** Notes that a scan of the state before the run begins now. */
  scanning(): void {
    this.#scanned = this.#clock?.() ?? 0
  }

  get mayBeOld(): boolean {
    return this.#clock !== null && this.#clock() - this.#scanned > AGAIN_MS
  }

  /**
   * Call before the agent gets its prompt, or goes on with one. A scan that is under way knows nothing of the run, so the
   * run begins after it.
   * @param since time from which on its work in the background may have written, in silence; ms since 1970
   */
  async begin(since: number | null = null): Promise<void> {
    this.#since = since
    const start = () => {
      if (!this.#begun) this.#start()
    }
    await resolvesWithin(this.#parts.activity.between(start), SCAN_MS)
    start()
  }

  #start(): void {
    this.#begun = true
    if (!this.#clock) return
    if (this.#since === null) this.presence.become(this.#open > 0 ? 'waits' : 'work', this.#clock())
    else this.presence.become('silent', this.#clock() - Math.max(0, this.#parts.now() - this.#since))
  }

  /** No process of the run may write any more. Resolves when every scan that takes the run for present is over. */
  async rest(): Promise<void> {
    if (this.#clock) this.presence.become(null, this.#clock())
    await this.#turned()
  }

  /** A scan under way knows nothing of a change of presence: what it finds later would be the work of before. */
  async #turned(): Promise<void> {
    await resolvesWithin(
      this.#parts.activity.between(() => undefined),
      ASK_MS,
    )
  }

  /** Notes a sign of the agent. `late`: it reports a call that is over already. */
  heard(late: boolean, wasRunning: boolean): void {
    const at = this.#parts.now()
    const busy = late || wasRunning
    // The end of a tool is a sign of life of this server too: what the tool wrote is the run's, whatever happens next.
    if (!this.#clock || (!busy && at - this.#heard < NOTED_MS)) return
    this.#heard = at
    this.presence.heard(this.#clock(), busy)
  }

  /**
   * Resolves when people may hear of it: no scan under way takes the run for one at work.
   * @param asked the questions that wait for a person
   */
  async attend(asked: readonly Pick<Question, 'toolCallId'>[]): Promise<void> {
    const open = asked.length
    const before = this.#open
    this.#open = open
    if (!this.#clock || !this.#begun || open === before) return
    const { activity, paths, onFailure } = this.#parts
    const scan = () => activity.scan({ at: 'hints', reason: 'tool' }).then(() => undefined, onFailure)
    if (open > before) {
      const doubt =
        this.presence.now === 'silent' || paths.isRunning(new Set(asked.flatMap(({ toolCallId }) => toolCallId ?? [])))
      this.presence.become(doubt ? 'silent' : 'waits', this.#clock())
      const turned = this.#turned()
      void scan()
      return await turned
    }
    // With other questions open nobody can tell which call the agent goes on with.
    const next = open === 0 ? 'work' : 'silent'
    this.#resuming = scan().then(() => {
      if (this.#clock && this.#open === open && this.presence.now !== null) this.presence.become(next, this.#clock())
    })
  }

  /** Resolves when the changes of the time without an answer are known: now the agent may have it. */
  async resumed(): Promise<void> {
    await resolvesWithin(this.#resuming, SCAN_MS)
  }
}
