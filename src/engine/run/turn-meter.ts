import { addSpent, NOTHING_SPENT, type Spent } from '../../model/spending.ts'
import type { SessionView } from '../../model/view.ts'
import { type Reached, spentBy, type Watched, watched } from './budgets.ts'
import type { Turn } from './turn.ts'

/** What others used of a shared budget is looked up again after this. ms. */
const LOOK_AGAIN_MS = 5_000
const MAX_TIMER_MS = 2_147_483_647

/** Counts what a turn uses, outside of the agent: the clock, what it was told, and what it says it used. */
export interface TurnMeter {
  /** What the run has used with this turn. */
  readonly spent: Spent
  /** Time that is left, ms; null for no end. */
  readonly leftMs: number | null
  /** Looks again: something was said, or questions were opened or settled. */
  look(): void
  /** An agent's answer to a prompt, with the tokens it tells. */
  answered(raw: unknown): void
  /** Not counted as under way any more. Before what was spent is written. */
  end(): void
}

export async function startMeter(
  turn: Turn,
  again: boolean,
  onReached: (reached: Reached) => void,
): Promise<TurnMeter> {
  const { work, run, asking } = turn
  const { ctx, recorder } = work
  let all: Watched[] = await watched(work, run)
  // A turn that was taken up again has used some of it; what it waited for a person then is not known any more.
  let ms = again && run.startedAt !== null ? Math.max(0, ctx.now() - run.startedAt - run.spent.ms) : 0
  let runningSince: number | null = ctx.now()
  let told = 0
  let over = false
  let timer: NodeJS.Timeout | null = null
  const usage = (view: SessionView) => view.agents[run.agent]?.usage ?? null
  const first = { used: usage(recorder.view)?.used ?? 0, cost: costOf(usage(recorder.view)?.cost) }

  /** Without what the run had used before this turn. */
  const spent = (): Spent => {
    const { view } = recorder
    const now = usage(view)
    const cost = costOf(now?.cost)
    const turns = view.run?.id === run.id ? view.run.turns + view.run.steered.length : run.spent.turns
    return {
      ms: ms + (runningSince === null ? 0 : ctx.now() - runningSince),
      turns: turns - run.spent.turns,
      // While it works, at least what its memory grew by.
      tokens: Math.max(told, (now?.used ?? 0) - first.used, 0),
      // Agents count it over their conversation, from nothing in a new process.
      cost: cost >= first.cost ? cost - first.cost : cost,
    }
  }
  const leave = ctx.spending.begin(spentBy(work), spent)
  const used = ({ meter, before }: Watched) => {
    const live = meter.of === 'run' ? spent() : ctx.spending.under(meter.of, spentBy(work))
    return before + live[meter.measure]
  }
  const leftMs = () => {
    const left = all.filter(({ meter }) => meter.measure === 'ms').map((each) => each.meter.limit - used(each))
    return left.length > 0 ? Math.max(0, Math.min(...left)) : null
  }
  const clear = () => {
    if (timer) clearTimeout(timer)
    timer = null
  }
  const look = () => {
    clear()
    if (over || all.length === 0) return
    const now = ctx.now()
    if (runningSince !== null) ms += now - runningSince
    runningSince = asking.open > 0 ? null : now
    // The turn that is on is one of those that are allowed.
    const reached = all.find((each) => used(each) >= each.meter.limit + (each.meter.measure === 'turns' ? 1 : 0))
    if (reached) {
      over = true
      return onReached({ meter: reached.meter, used: used(reached) })
    }
    const left = runningSince === null ? null : leftMs()
    const shared = all.some(({ meter }) => meter.of !== 'run' && meter.of !== 'session')
    const next = Math.min(left ?? MAX_TIMER_MS, shared ? LOOK_AGAIN_MS : MAX_TIMER_MS)
    timer = setTimeout(() => void lookUp().catch((thrown) => ctx.log.warn(`${run.id} is not metered.`, thrown)), next)
  }
  const lookUp = async () => {
    if (all.some(({ meter }) => meter.of !== 'run' && meter.of !== 'session')) all = await watched(work, run)
    look()
  }
  const unwatch = recorder.onView(look)
  look()
  return {
    get spent() {
      return addSpent(run.spent ?? NOTHING_SPENT, spent())
    },
    get leftMs() {
      return leftMs()
    },
    look,
    answered(raw) {
      told += tokensOf((raw as { usage?: unknown } | null)?.usage)
    },
    end() {
      over = true
      if (runningSince !== null) ms += ctx.now() - runningSince
      runningSince = null
      clear()
      unwatch()
      leave()
    },
  }
}

function costOf(cost: unknown): number {
  const { amount } = (cost ?? {}) as { amount?: unknown }
  return typeof cost === 'number' ? cost : typeof amount === 'number' ? amount : 0
}

/** Agents name them in two ways, and some give only the parts. */
function tokensOf(usage: unknown): number {
  const said = (usage ?? {}) as Readonly<Record<string, unknown>>
  const number = (...names: string[]) =>
    names.map((name) => said[name]).find((value): value is number => typeof value === 'number')
  return (
    number('totalTokens', 'total_tokens') ??
    (number('inputTokens', 'input_tokens') ?? 0) + (number('outputTokens', 'output_tokens') ?? 0)
  )
}
