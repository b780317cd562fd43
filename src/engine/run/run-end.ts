import { setTimeout as pause } from 'node:timers/promises'
import { AgentFailure } from '../../host/agent/agent.ts'
import type { Reached } from '../../host/cgroups/cgroup.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events.ts'
import type { InteractionId } from '../../model/ids.ts'
import type { Spent } from '../../model/spending.ts'
import type { RunOutcome } from '../../model/tree.ts'
import { halfDone, type RunView } from '../../model/view.ts'
import type { Seat } from '../agents/agent-pool.ts'
import { raiseWords } from '../verbs/environment.ts'
import type { Reached as UsedUp } from './budgets.ts'
import type { Recorder } from './recorder.ts'
import type { RunFiles } from './run-files.ts'
import type { RunWork } from './run-work.ts'

/** Updates that still come right behind an agent's answer belong to the run; every turn waits for them. ms. */
const LATE_UPDATES_MS = 2

/** How a turn came to its end. */
export type TurnEnd =
  | { readonly kind: 'answered'; readonly stopReason: string; readonly raw: unknown }
  | { readonly kind: 'cancelled'; readonly why: 'cancelled' | 'stopped'; readonly answered: boolean }
  /** A budget is used up: it was stopped, and goes on when more is allowed. */
  | { readonly kind: 'exhausted'; readonly reached: UsedUp; readonly answered: boolean }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'parked'; readonly reason: string }
  /** The server ends, and the agent does not: the next one takes up with it. */
  | { readonly kind: 'left' }

type Ended = Extract<Outcome, { type: 'run.ended' }>['data']

/**
 * Writes the one end of a run (L4), with its open questions withdrawn before it. What it left in its files is looked at
 * while what the agent said is written; what is found goes with the end.
 */
export async function recordEnd(
  work: RunWork,
  run: RunView,
  end: TurnEnd,
  { seat, files, spent }: { readonly seat: Seat | null; readonly files: RunFiles | null; readonly spent: () => Spent },
): Promise<void> {
  const { recorder } = work
  const looked = files?.end('ended')
  const late = end.kind === 'answered' ? pause(LATE_UPDATES_MS) : null
  // What the agent said is written and folded first, since the end is judged by it.
  await Promise.all([recorder.record(), late])
  if (late) await recorder.record()
  const ended = await endOf(work, run, end, seat)
  await looked
  await recorder.record(...withdrawals(recorder), {
    type: 'run.ended',
    run: run.id,
    data: { ...ended, spent: spent() },
  })
}

/** What is still asked when a run ends is asked no more. */
function withdrawals({ view }: Recorder): Outcome[] {
  return Object.entries(view.open).map(([id, { run }]) => {
    const data = { interaction: id as InteractionId, reason: 'The run that asked is over.' }
    return { type: 'interaction.withdrawn', run, data }
  })
}

/** The end of a run that nobody serves: found after a crash, or cancelled while it was parked. */
export async function recordEndWithout(
  work: RunWork,
  run: RunView,
  outcome: 'lost' | 'cancelled' | 'over_budget',
  message: string | null,
): Promise<void> {
  const { recorder } = work
  const error =
    message === null
      ? null
      : {
          message,
          stderr: null,
          next:
            outcome === 'over_budget'
              ? 'Allow more in the environment, then prompt again: the session goes on.'
              : 'Look at what was half done, then prompt again: the session goes on.',
        }
  const data: Ended = {
    run: run.id,
    outcome,
    stopReason: null,
    usage: null,
    error,
    halfDone: halfDone(recorder.view, recorder.item),
    spent: run.spent,
  }
  await recorder.record(...withdrawals(recorder), { type: 'run.ended', run: run.id, data })
}

async function endOf(work: RunWork, run: RunView, end: TurnEnd, seat: Seat | null): Promise<Ended> {
  const { view } = work.recorder
  const base = { run: run.id, stopReason: null, usage: null, error: null, halfDone: halfDone(view, work.recorder.item) }
  if (end.kind === 'answered') return { ...base, ...(await judge(work, run, end, seat)) }
  if (end.kind === 'cancelled') return { ...base, ...cancelled(end) }
  if (end.kind === 'failed') return { ...base, outcome: 'failed', error: await failureOf(work, end.error) }
  throw new CarrelError('internal', 'A run that goes on has no end yet.')
}

function cancelled({ why }: Extract<TurnEnd, { kind: 'cancelled' }>): Pick<Ended, 'outcome' | 'error' | 'stopReason'> {
  if (why === 'stopped') {
    return {
      outcome: 'cancelled',
      stopReason: 'cancelled',
      error: { message: 'The server was stopped.', stderr: null, next: 'Prompt again to go on.' },
    }
  }
  return { outcome: 'cancelled', stopReason: 'cancelled', error: null }
}

const OUTCOME_OF: Readonly<Record<string, RunOutcome>> = {
  end_turn: 'completed',
  cancelled: 'cancelled',
  refusal: 'refused',
  max_tokens: 'over_budget',
  max_turn_requests: 'over_budget',
}

/** What an agent's stop reason amounts to. `end_turn` is no proof of success: some end so after a model error. */
async function judge(
  work: RunWork,
  run: RunView,
  { stopReason, raw }: Extract<TurnEnd, { kind: 'answered' }>,
  seat: Seat | null,
): Promise<Pick<Ended, 'outcome' | 'error' | 'stopReason' | 'usage'>> {
  const outcome = OUTCOME_OF[stopReason] ?? 'completed'
  const usage = usageOf(work, run, raw)
  if (outcome === 'over_budget') {
    const message =
      stopReason === 'max_tokens'
        ? 'The agent reached its limit of tokens.'
        : 'The agent reached its limit of steps in one turn.'
    return { outcome, stopReason, usage, error: { message, stderr: null, next: 'Prompt again to let it go on.' } }
  }
  const hidden = stopReason === 'end_turn' ? await hiddenError(work, run) : null
  if (hidden === null) return { outcome, stopReason, usage, error: null }
  const stderr = seat?.connection.stderrTail() || null
  return {
    outcome: 'failed',
    stopReason,
    usage,
    error: { message: hidden, stderr, next: 'Check the login and the model of the agent, then prompt again.' },
  }
}

/** Beginnings that agents give to a model error they pass off as an answer. */
const ERROR_TEXT =
  /^\W*(api error|error:|error \d{3}|\[?api error|unexpected status [45]\d\d|http [45]\d\d|stream error|llm (request )?(error|failed)|failed to (call|reach|get a response)|request failed|we.re currently experiencing high demand|\{"?(type"?: ?"?)?error)/i

/** What some agents say between two tries of a request to their model. */
const RETRYING =
  /((info: request failed due to a transient api error\. )?retrying( \([^)]{1,80}\))?\.{3}|retry finished, resuming\.)\s*/gi

/** A sentence when the turn ended well by name only: nothing was said at all, or only an error. */
async function hiddenError(work: RunWork, run: RunView): Promise<string | null> {
  const items = await work.recorder.newest(12)
  const said = items.filter((item) => item.run === run.id && item.n > run.n)
  if (said.some((item) => item.kind !== 'message' && item.kind !== 'thought' && item.kind !== 'notice')) return null
  const texts = said.flatMap((item) => (item.kind === 'message' && item.role === 'agent' ? [item] : []))
  if (texts.length === 0 && said.length === 0)
    return 'The agent ended its turn without saying or doing anything; usually its model could not be reached.'
  const only = texts.length === 1 ? (texts[0]?.text.replace(RETRYING, '').trim() ?? '') : null
  if (only === '') return 'The agent tried its model again and again, and then ended its turn without an answer.'
  return only !== null && only.length < 2_000 && ERROR_TEXT.test(only) ? only : null
}

function usageOf(work: RunWork, run: RunView, raw: unknown): Ended['usage'] {
  const told = (raw as { usage?: unknown } | null)?.usage
  const context = work.recorder.view.agents[run.agent]?.usage ?? null
  if (!told && !context) return null
  return { ...(told && typeof told === 'object' ? told : {}), ...(context && { context }) }
}

/** With what to do where it was a limit that ended the agent. */
async function failureOf(work: RunWork, thrown: unknown): Promise<NonNullable<Ended['error']>> {
  const said = failure(thrown)
  const reached = thrown instanceof CarrelError ? (thrown.data as { reached?: Reached })?.reached : undefined
  const by = reached ?? (thrown instanceof AgentFailure ? thrown.reached : undefined)
  return by ? { ...said, next: await raiseWords(work.ctx, work.recorder.session, by) } : said
}

/** An agent's failure in words, with the end of its stderr and what to do. */
function failure(thrown: unknown): NonNullable<Ended['error']> {
  if (thrown instanceof CarrelError) {
    const data = (thrown.data ?? {}) as { stderrTail?: string; next?: string }
    return { message: thrown.message, stderr: data.stderrTail || null, next: data.next ?? null }
  }
  const said = thrown as { message?: string; code?: number; stderrTail?: string }
  const message = said?.message ?? String(thrown)
  const login = said?.code === -32000 ? 'Log in to the agent (see `carrel agents`), then prompt again.' : null
  return { message, stderr: said?.stderrTail || null, next: login ?? 'Prompt again: the session goes on where it was.' }
}
