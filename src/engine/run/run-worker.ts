import { AgentFailure, saysSessionUnknown } from '../../host/agent/agent.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import { GO_ON, MORE_ALLOWED } from '../../model/events/own-words.ts'
import { halfDone, type RunView } from '../../model/events/view.ts'
import { leavesAgents } from '../../model/settings/config.ts'
import { isBudgetKey } from '../../model/settings/spending.ts'
import { isCalledOff, type TurnEnd } from '../../model/turn.ts'
import { onAbort } from '../../primitives/on-abort.ts'
import type { AgentSlot, LiveContext } from '../agents/agent-slot.ts'
import { budgetAsked } from './budgets.ts'
import { openFiles, type RunFiles } from './files/run-files.ts'
import { rejoinRun, turnTag } from './rejoin.ts'
import { takeSlot } from './run-context.ts'
import { applyConfig, forgetConversation, openConversation } from './run-conversation.ts'
import { recordEnd } from './run-end.ts'
import { listenerOf, type RunListeners } from './run-listener.ts'
import type { RunWork } from './run-work.ts'
import { RunQuestions } from './turn/asking.ts'
import type { Turn, TurnTask } from './turn/turn.ts'
import type { TurnMeter } from './turn/turn-meter.ts'
import { takeTurn } from './turn/turn-worker.ts'

/** Resources that the admission of a run has opened for it. */
export interface ReadyRun {
  readonly files?: Promise<RunFiles>
  /** A slot with the conversation open; the start of the run is in the log then. */
  readonly slot?: AgentSlot | null
}

interface Begun {
  readonly turn: Turn
  readonly task: TurnTask
}

type Start = 'start' | 'resume' | 'rejoin'

/** A run whose agent does not know its session is begun again: with the session loaded, then with a new one. */
const AGAIN = 2
/** Newest items that show whether a run had an effect. */
const LOOKED_AT = 12

/**
 * Serves the run of a session's view until it ends or is parked. Requests in the log go to the agent (cancel, answers,
 * steering, settings), and updates of the agent go to the log. False when `rejoin` found no agent to go on with.
 *   slot -> conversation -> [lease proven, run.started written] -> prompt -> turn -> run.ended | run.parked
 * @throws lease_lost when another node took the session over
 */
export async function serveRun(work: RunWork, how: Start, ready: ReadyRun = {}): Promise<boolean> {
  const { run } = work.recorder.view
  if (!run) return false
  const worker = new RunWorker(work, run, ready.slot ?? null)
  try {
    return await worker.serve(how, ready.files)
  } catch (thrown) {
    return await worker.failed(thrown)
  } finally {
    worker.leave()
  }
}

class RunWorker {
  readonly #work: RunWork
  readonly #run: RunView
  readonly #calledOff = new AbortController()
  readonly #stops: readonly (() => void)[]
  #slot: AgentSlot | null
  #files: RunFiles | null = null
  /** How often the agent did not know the session. */
  #unknown = 0

  constructor(work: RunWork, run: RunView, slot: AgentSlot | null) {
    this.#work = work
    this.#run = run
    this.#slot = slot
    const callOff = () => this.#calledOff.abort()
    this.#stops = [work.recorder.onView((view) => isCalledOff(view) && callOff()), onAbort(work.stopping, callOff)]
    if (isCalledOff(work.recorder.view) || work.stopping.aborted) callOff()
  }

  async serve(how: Start, files: Promise<RunFiles> | undefined): Promise<boolean> {
    const asking = new RunQuestions(this.#work, this.#run)
    // The first snapshot is taken while the agent starts.
    this.#files = await (files ?? openFiles(this.#work, this.#run, how))
    const listeners = { asking, files: this.#files }
    let begun = how === 'rejoin' ? await this.#rejoin(listeners) : await this.#begin(listeners, how)
    while (begun !== null) {
      const { turn, task } = begun
      this.#slot = turn.slot
      const [end, meter] = await takeTurn(turn, task)
      begun = await this.#beginAgain(turn, end)
      if (begun === null) {
        await finish(turn, end, meter)
        return true
      }
    }
    return false
  }

  /**
   * Begins a turn again whose agent did not know its session, if the prompt had no effect; null for every other end.
   * The conversation is dropped in any case, so that the next prompt does not meet it.
   */
  async #beginAgain({ slot, live, asking, files }: Turn, end: TurnEnd): Promise<Begun | null> {
    if (end.kind !== 'failed' || !saysSessionUnknown(end.error)) return null
    const [work, run] = [this.#work, this.#run]
    this.#unknown += 1
    await forgetConversation({ work, run, slot, live }, { lost: this.#unknown > 1, error: end.error })
    await work.recorder.record()
    const items = await work.recorder.newest(LOOKED_AT)
    const hadEffect = items.some((item) => item.run === run.id && item.n > run.n && item.kind !== 'notice')
    if (hadEffect || this.#unknown > AGAIN || work.recorder.view.run?.steered.length !== 0) return null
    return await this.#begin({ asking, files }, 'again')
  }

  async failed(thrown: unknown): Promise<boolean> {
    const { lease, stopping, recorder } = this.#work
    if (lease.lost.aborted) {
      // A store that is away while the server stops: the next server goes on from the last recorded frame (P5).
      if (
        stopping.aborted &&
        leavesAgents(this.#work.ctx.config) &&
        asCarrelError(lease.lost.reason).code === 'unavailable'
      )
        this.#slot?.abandon()
      // Another node may act for this session now, so no process of this node may go on (S3).
      else await this.#slot?.kill()
      // The error is a consequence of the loss, whose reason belongs into the log.
      throw lease.lost.reason
    }
    // No person asked for its end, and no agent has its prompt: the run begins again at the next start of the server.
    if (stopping.aborted && !isCalledOff(recorder.view)) return true
    const end: TurnEnd = this.#calledOff.signal.aborted
      ? { kind: 'cancelled', why: 'cancelled', answered: true }
      : { kind: 'failed', error: thrown }
    const leftovers = { slot: this.#slot, files: this.#files, spent: () => this.#run.spent }
    await recordEnd(this.#work, this.#run, end, leftovers)
    return true
  }

  leave(): void {
    for (const stop of this.#stops) stop()
    this.#files?.leave()
    this.#slot?.leave()
  }

  /** Opens the conversation in a process and chooses the prompt. */
  async #begin(listeners: RunListeners, how: 'start' | 'resume' | 'again'): Promise<Begun> {
    const [work, run, signal] = [
      this.#work,
      this.#run,
      AbortSignal.any([this.#work.lease.lost, this.#calledOff.signal]),
    ]
    const at = listeners.files.opened.place
    const given = this.#slot
    const warm = how !== 'again' && given !== null
    const slot = given ?? (await takeSlot(work, run, at, signal))
    try {
      const listener = listenerOf(work, run, listeners, 0)
      const before = slot.live
      const { live, primer } = await openConversation({ work, run, slot, at, listener, signal })
      await applyConfig(work, run, live, live !== before)
      await listeners.files.begun()
      // The log says that a warm run has begun, so its agent gets the prompt even if the server is stopping.
      if (warm && !isCalledOff(work.recorder.view)) work.lease.lost.throwIfAborted()
      else signal.throwIfAborted()
      const content = how === 'resume' ? [{ type: 'text', text: goOn(work, run) } as const] : run.content
      const start = how === 'again' ? 'resume' : how
      const task = { content: [...primer, ...content], how: warm ? ('recorded' as const) : start }
      return { turn: { work, run, slot, live, ...listeners }, task }
    } catch (thrown) {
      slot.leave()
      throw thrown
    }
  }

  /**
   * Takes over the turn that an earlier server began. Null when no agent is left to finish it: its last updates are
   * written then, and the log decides whether the run is parked or lost.
   */
  async #rejoin(listeners: RunListeners): Promise<Begun | null> {
    const [work, run, at] = [this.#work, this.#run, listeners.files.opened.place]
    const joined = await rejoinRun(work, run, at, (heardBefore) => listenerOf(work, run, listeners, heardBefore))
    await work.recorder.record()
    if (!joined) return null
    const { slot, live } = joined
    const steering = (tag: string) => run.steered.some(({ prompt }) => prompt === tag)
    const own = joined.prompts.filter(({ tag }) => tag === turnTag(run) || steering(tag))
    const first = own.find(({ tag }) => tag === turnTag(run))
    if (first && (slot.connection.usable || (await isAnswered(first.answer)))) {
      const late = run.steered.filter(({ prompt }) => !own.some(({ tag }) => tag === prompt))
      const sent = late.map(({ prompt, content }) => live.session.prompt(content, prompt))
      const answers = [...own.map(({ answer }) => answer), ...sent]
      return { turn: { work, run, slot, live, ...listeners }, task: { answers } }
    }
    await slot.kill()
    slot.leave()
    if (first) return null
    // The start is in the log, but the prompt never reached the agent: it is the same turn that begins now.
    const begun = await this.#begin(listeners, run.turns > 1 ? 'resume' : 'start')
    return { ...begun, task: { ...begun.task, how: 'unsent' } as TurnTask }
  }
}

/** Why the agent may go on: its questions have answers, or a budget was raised. */
const goOn = ({ recorder }: RunWork, run: RunView): string =>
  recorder.view.grants.length === 0 && isBudgetKey(run.given.at(-1)?.fingerprint ?? '') ? MORE_ALLOWED : GO_ON

/** An error of the agent is an answer too, unlike the end of its process. */
const isAnswered = (answer: Promise<unknown>) =>
  answer.then(
    () => true,
    (thrown) => thrown instanceof AgentFailure && thrown.code !== undefined,
  )

async function finish(turn: Turn, end: TurnEnd, meter: TurnMeter): Promise<void> {
  const { work, run, slot, live, asking, files } = turn
  const { recorder } = work
  asking.leave()
  if (end.kind === 'left') {
    await files.end('parked')
    await recorder.record()
    return slot.abandon()
  }
  if (end.kind === 'parked') return await park(turn, end.reason, meter)
  if (end.kind === 'cancelled' || end.kind === 'exhausted') await stopWork(turn, end.answered)
  if (end.kind === 'exhausted') {
    await files.end('parked')
    await recorder.record()
    const data = { run: run.id, reason: 'A budget is used up.', spent: meter.spent }
    await recorder.record(budgetAsked(work, run, end.reached), { type: 'run.parked', run: run.id, data })
  } else await recordEnd(work, run, end, { slot, files, spent: () => meter.spent })
  live.session.recorded(recorder.view.agents[run.agent]?.frame ?? 0)
  live.session.recorded(null)
}

/** Parks a run that waits for a person. Such a run holds no process. */
async function park({ work, run, slot, live, files }: Turn, reason: string, meter: TurnMeter): Promise<void> {
  // The last updates count too.
  await work.recorder.record()
  await files.times.rest()
  const data = { run: run.id, reason, spent: meter.spent }
  await work.recorder.record(...cutByParking(work, run, live), { type: 'run.parked', run: run.id, data })
  await endConversation(slot, live)
  await files.end('parked')
}

/** A parked run holds no process: tool calls and terminals that still run end with it. */
function cutByParking({ recorder }: RunWork, { id: run, agent }: RunView, live: LiveContext): Outcome[] {
  const { view, item } = recorder
  const asked = new Set(Object.values(view.open).map(({ question }) => question.toolCallId))
  const open = halfDone(view, item).filter(({ toolCallId }) => !asked.has(toolCallId))
  const earlier = view.agents[agent]?.background ?? []
  const names = [...new Set([...open.map(({ title }) => title), ...live.session.terminals(), ...earlier])]
  if (names.length === 0) return []
  const text = `The run is parked, which ends its agent. Cut off: ${names.join(', ')}.`
  return [{ type: 'notice.given', run, data: { level: 'warning', text } }]
}

/** Ends processes that a stopped agent may have left at work. */
async function stopWork({ work, run, slot, live }: Turn, answered: boolean): Promise<void> {
  if (!answered) return await endConversation(slot, live)
  if (!slot.alone()) return
  await slot.connection.killDescendantsBornAfter(work.recorder.view.run?.startedAt ?? run.admittedAt)
}

/** Ends the process of a run that has it alone; else ends only the conversation, so that other runs go on. */
async function endConversation(slot: AgentSlot, live: LiveContext): Promise<void> {
  if (slot.alone()) return await slot.kill()
  live.session.cancel()
  await live.session.close().catch(() => undefined)
  slot.drop()
}
