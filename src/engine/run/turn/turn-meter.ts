import { agentUsage, isShared, spentInTurn, timeLeft, tokensOf, usedUp } from '../../../model/metering.ts'
import { addSpent, type Reached, type Spent } from '../../../model/settings/spending.ts'
import { createTimer } from '../../../primitives/timers.ts'
import { spentBy, type Watched, watched } from '../budgets.ts'
import type { Turn } from './turn.ts'

/** How often the use of shared budgets by others is read again. ms. */
const READ_AGAIN_MS = 5_000
const MAX_TIMER_MS = 2_147_483_647

interface MeterOptions {
  /** The turn began before this server started. */
  readonly again: boolean
  readonly onReached: (reached: Reached) => void
}

export async function startMeter(turn: Turn, options: MeterOptions): Promise<TurnMeter> {
  return new TurnMeter(turn, await watched(turn.work, turn.run), options)
}

export class TurnMeter {
  readonly #turn: Turn
  readonly #onReached: MeterOptions['onReached']
  readonly #first: ReturnType<typeof agentUsage>
  readonly #stops: readonly (() => void)[]
  #meters: readonly Watched[]
  #ms: number
  /** By the clock of time awake. */
  #runningSince: number | null
  #answered = 0
  #over = false
  readonly #timer = createTimer()

  constructor(turn: Turn, meters: readonly Watched[], { again, onReached }: MeterOptions) {
    const { work, run } = turn
    this.#turn = turn
    this.#meters = meters
    this.#onReached = onReached
    this.#first = agentUsage(this.#usage)
    // The time that an earlier server waited for a person is unknown, so it counts as time at work.
    this.#ms = again && run.startedAt !== null ? Math.max(0, work.ctx.now() - run.startedAt - run.spent.ms) : 0
    this.#runningSince = work.ctx.awake.elapsed()
    const uncount = work.ctx.spending.begin(spentBy(work), () => this.#spentInTurn())
    this.#stops = [work.recorder.onView(() => this.check()), uncount]
    this.check()
  }

  /** Amounts of the run, this turn included. */
  get spent(): Spent {
    return addSpent(this.#turn.run.spent, this.#spentInTurn())
  }

  /** Time that is left, ms; null without a limit. */
  get leftMs(): number | null {
    return timeLeft(this.#used())
  }

  /** Counts the tokens that an agent's answer names. */
  answered(raw: unknown): void {
    this.#answered += tokensOf(raw)
  }

  /** Checks the budgets again, after an update or a change of open questions. */
  check(): void {
    this.#timer.stop()
    if (this.#over) return
    this.#stopClock()
    // Time spent waiting for a person does not count.
    if (this.#turn.asking.open === 0) this.#runningSince = this.#turn.work.ctx.awake.elapsed()
    if (this.#meters.length === 0) return
    const used = this.#used()
    const reached = usedUp(used, 1)
    if (reached) {
      this.#over = true
      return this.#onReached(reached)
    }
    const left = this.#runningSince === null ? null : timeLeft(used)
    this.#checkIn(Math.min(left ?? MAX_TIMER_MS, this.#shared ? READ_AGAIN_MS : MAX_TIMER_MS))
  }

  /** Stops counting the turn as under way. Call it before its amounts are written. Safe to repeat. */
  end(): void {
    this.#over = true
    this.#stopClock()
    this.#timer.stop()
    for (const stop of this.#stops) stop()
  }

  get #usage() {
    const { work, run } = this.#turn
    return work.recorder.view.agents[run.agent]?.usage ?? null
  }

  get #shared(): boolean {
    return this.#meters.some(({ meter }) => isShared(meter))
  }

  #spentInTurn(): Spent {
    const { work, run } = this.#turn
    const { view } = work.recorder
    const turns = view.run?.id === run.id ? view.run.turns + view.run.steered.length : run.spent.turns
    const running = this.#runningSince === null ? 0 : work.ctx.awake.elapsed() - this.#runningSince
    return spentInTurn({
      ms: this.#ms + running,
      turns: turns - run.spent.turns,
      answered: this.#answered,
      first: this.#first,
      now: agentUsage(this.#usage),
    })
  }

  #used(): Reached[] {
    const { ctx } = this.#turn.work
    const by = spentBy(this.#turn.work)
    return this.#meters.map(({ meter, before }) => {
      const live = meter.of === 'run' ? this.#spentInTurn() : ctx.spending.under(meter.of, by)
      return { meter, used: before + live[meter.measure] }
    })
  }

  #stopClock(): void {
    if (this.#runningSince !== null) this.#ms += this.#turn.work.ctx.awake.elapsed() - this.#runningSince
    this.#runningSince = null
  }

  #checkIn(ms: number): void {
    const { work, run } = this.#turn
    const warn = (thrown: unknown) => work.ctx.log.warn(`The budgets of ${run.id} are not checked.`, thrown)
    this.#timer.start(ms, () => void this.#readAndCheck().catch(warn))
  }

  async #readAndCheck(): Promise<void> {
    if (this.#shared) this.#meters = await watched(this.#turn.work, this.#turn.run)
    this.check()
  }
}
