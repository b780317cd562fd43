import { setTimeout as pause } from 'node:timers/promises'
import { AgentFailure } from '../../host/agent/agent.ts'
import type { LimitReached } from '../../host/cgroups/cgroup.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import { halfDone, type RunView } from '../../model/events/view.ts'
import type { InteractionId } from '../../model/ids.ts'
import { judgeAnswer } from '../../model/run-outcome.ts'
import type { Spent } from '../../model/settings/spending.ts'
import type { TurnAnswer, TurnEnd } from '../../model/turn.ts'
import type { AgentSlot } from '../agents/agent-slot.ts'
import { limitAdvice } from '../scope-settings.ts'
import type { RunFiles } from './files/run-files.ts'
import type { SessionRecorder } from './recorder.ts'
import type { RunWork } from './run-work.ts'

/** Every turn waits this long for updates that an agent sends right after its answer. ms. */
const LATE_UPDATES_MS = 2
/** Items that show whether an answer hides an error. */
const JUDGED_ITEMS = 12

type Ended = Extract<Outcome, { type: 'run.ended' }>['data']

interface RunLeftovers {
  readonly slot: AgentSlot | null
  readonly files: RunFiles | null
  readonly spent: () => Spent
}

/**
 * Writes the one end of a run (L4), after the withdrawals of its open questions. The last snapshot of its files is
 * taken while its last updates are written, and is in the log before the end.
 */
export async function recordEnd(
  work: RunWork,
  run: RunView,
  end: TurnEnd,
  { slot, files, spent }: RunLeftovers,
): Promise<void> {
  const { recorder } = work
  // The answer is a sign of the agent like any other.
  if (end.kind === 'answered') files?.heard(null)
  const snapshot = files?.end('ended')
  const late = end.kind === 'answered' ? pause(LATE_UPDATES_MS) : null
  // The end is judged by the items, so all updates are written and folded first.
  await Promise.all([recorder.record(), late])
  if (late) await recorder.record()
  const ended = await endOf(work, run, end, slot)
  await snapshot
  // From here on, messages of the agent are afterwords.
  slot?.endTurn()
  await files?.close()
  await recorder.record(...withdrawals(recorder), {
    type: 'run.ended',
    run: run.id,
    data: { ...ended, spent: spent() },
  })
}

function withdrawals({ view }: SessionRecorder): Outcome[] {
  return Object.entries(view.open).flatMap(([id, { run, afterword }]) => {
    if (afterword) return []
    const data = { interaction: id as InteractionId, reason: 'The run that asked is over.' }
    return { type: 'interaction.withdrawn', run, data }
  })
}

/** Writes the end of a run without a process: a run found after a crash, or one cancelled while it was parked. */
export async function recordEndWithout(
  work: RunWork,
  run: RunView,
  outcome: 'lost' | 'cancelled' | 'over_budget',
  message: string | null,
): Promise<void> {
  const { recorder } = work
  const next =
    outcome === 'over_budget'
      ? 'Raise the budget in the environment settings, then prompt again to continue.'
      : 'Check the steps that were cut off, then prompt again to continue.'
  const data: Ended = {
    run: run.id,
    outcome,
    stopReason: null,
    usage: null,
    error: message === null ? null : { message, stderr: null, next },
    halfDone: halfDone(recorder.view, recorder.item),
    spent: run.spent,
  }
  await recorder.record(...withdrawals(recorder), { type: 'run.ended', run: run.id, data })
}

async function endOf(work: RunWork, run: RunView, end: TurnEnd, slot: AgentSlot | null): Promise<Ended> {
  const { view, item } = work.recorder
  const base = { run: run.id, stopReason: null, usage: null, error: null, halfDone: halfDone(view, item) }
  if (end.kind === 'answered') return { ...base, ...(await answeredEnd(work, run, end, slot)) }
  if (end.kind === 'cancelled') return { ...base, outcome: 'cancelled', stopReason: 'cancelled', error: stopped(end) }
  if (end.kind === 'failed') return { ...base, outcome: 'failed', error: await failureOf(work, end.error) }
  throw new CarrelError('internal', 'A run that goes on has no end yet.')
}

const stopped = ({ why }: Extract<TurnEnd, { kind: 'cancelled' }>): Ended['error'] =>
  why === 'stopped' ? { message: 'The server was stopped.', stderr: null, next: 'Prompt again to go on.' } : null

async function answeredEnd(
  work: RunWork,
  run: RunView,
  { stopReason, raw }: TurnAnswer,
  slot: AgentSlot | null,
): Promise<Pick<Ended, 'outcome' | 'error' | 'stopReason' | 'usage'>> {
  const newest = await work.recorder.newest(JUDGED_ITEMS)
  const items = newest.filter((item) => item.run === run.id && item.n > run.n && !item.afterword)
  const { outcome, problem, notice } = judgeAnswer(stopReason, items)
  if (notice !== null)
    work.recorder.push({ type: 'notice.given', run: run.id, data: { level: 'warning', text: notice } })
  const stderr = (outcome === 'failed' && slot?.connection.stderrTail()) || null
  return { outcome, stopReason, usage: usageOf(work, run, raw), error: problem && { ...problem, stderr } }
}

function usageOf(work: RunWork, run: RunView, raw: unknown): Ended['usage'] {
  const answered = (raw as { usage?: unknown } | null)?.usage
  const context = work.recorder.view.agents[run.agent]?.usage ?? null
  if (!answered && !context) return null
  return { ...(answered && typeof answered === 'object' ? answered : {}), ...(context && { context }) }
}

async function failureOf(work: RunWork, thrown: unknown): Promise<NonNullable<Ended['error']>> {
  const failure = describeFailure(thrown)
  const data = thrown instanceof CarrelError ? (thrown.data as { reached?: LimitReached } | undefined) : undefined
  const limit = data?.reached ?? (thrown instanceof AgentFailure ? thrown.reached : undefined)
  return limit ? { ...failure, next: await limitAdvice(work.ctx, work.recorder.session, limit) } : failure
}

function describeFailure(thrown: unknown): NonNullable<Ended['error']> {
  if (thrown instanceof CarrelError) {
    const data = (thrown.data ?? {}) as { stderrTail?: string; next?: string }
    return { message: thrown.message, stderr: data.stderrTail || null, next: data.next ?? null }
  }
  const failure = thrown as { message?: string; code?: number; stderrTail?: string }
  const message = failure?.message ?? String(thrown)
  const login = failure?.code === -32000 ? 'Log in to the agent (see `carrel agents`), then prompt again.' : null
  const next = login ?? 'Prompt again to continue where the session stopped.'
  return { message, stderr: failure?.stderrTail || null, next }
}
