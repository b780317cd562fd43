import type { PromptAnswer } from '../../../host/agent/agent.ts'
import { asCarrelError, type CarrelError } from '../../../model/errors.ts'
import { type SessionView, waitsForPerson } from '../../../model/events/view.ts'
import { leavesAgents } from '../../../model/settings/config.ts'
import { isCalledOff, NEW_TURN, type TurnEnd, type TurnSignal, turnStep } from '../../../model/turn.ts'
import { onAbort } from '../../../primitives/on-abort.ts'
import { createTimer } from '../../../primitives/timers.ts'
import { turnTag } from '../rejoin.ts'
import type { Turn, TurnTask } from './turn.ts'
import { startMeter, type TurnMeter } from './turn-meter.ts'
import { type Prompts, reactionOf } from './turn-requests.ts'
import { createTimers } from './turn-timers.ts'

/** A cancelled agent has this long to confirm before its process is killed; both together take under 3 s (P2). ms. */
const CANCEL_GRACE_MS = 2_000
const START_EVENT = { start: 'run.started', resume: 'run.resumed', recorded: null, unsent: null } as const

/** Sends the prompts of a turn to its agent and waits until the turn ends. @throws lease_lost */
export async function takeTurn(turn: Turn, task: TurnTask): Promise<[TurnEnd, TurnMeter]> {
  await proveAndRecord(turn, task)
  await turn.files.begin()
  const control = new TurnControl(turn)
  const meter = await startMeter(turn, {
    again: 'answers' in task,
    onReached: (reached) => control.signal({ kind: 'budget-reached', reached }),
  })
  const { work, run, slot } = turn
  const deadlineAt = meter.leftMs !== null && slot.alone() ? work.ctx.now() + meter.leftMs : null
  slot.connection.limits({ graceMs: work.ctx.config.outliveMs, deadlineAt })
  const prompts = promptsOf(turn, control, meter)
  const watching = watchTurn(turn, { control, meter, prompts })
  try {
    if ('answers' in task) prompts.adopt(task.answers)
    else {
      prompts.reserve()
      prompts.send(task.content, turnTag(work.recorder.view.run ?? run))
    }
    watching.checkAll()
    return [await control.ended, meter]
  } finally {
    meter.end()
    watching.stop()
    control.close()
  }
}

/**
 * Proves the lease and writes the start of the turn before a prompt reaches the agent, so that no prompt is sent twice
 * (S3). Both share one flush of the disk. A warm start has done both already.
 */
async function proveAndRecord({ work, run, live }: Turn, task: TurnTask): Promise<void> {
  const type = 'answers' in task ? null : START_EVENT[task.how]
  if (!('answers' in task) && task.how === 'recorded') return
  const data = { run: run.id, acpSession: live.session.id }
  await Promise.all([work.lease.renew(), type && work.recorder.record({ type, run: run.id, data })])
}

/** The state of a turn. Applies the decisions of `turnStep`: asks the agent to stop, or ends the turn once. */
class TurnControl {
  readonly #turn: Turn
  readonly #ended = Promise.withResolvers<TurnEnd>()
  #state = NEW_TURN
  readonly #grace = createTimer()

  constructor(turn: Turn) {
    this.#turn = turn
  }

  get ended(): Promise<TurnEnd> {
    return this.#ended.promise
  }

  get isOver(): boolean {
    return this.#state.ended
  }

  signal(signal: TurnSignal): void {
    const { state, act } = turnStep(this.#state, signal)
    this.#state = state
    if (act?.do === 'end') this.#ended.resolve(act.end)
    if (act?.do !== 'cancel') return
    this.#turn.live.session.cancel()
    this.#grace.start(CANCEL_GRACE_MS, () => this.signal({ kind: 'grace-over' }))
  }

  lose(error: CarrelError): void {
    this.#ended.reject(error)
  }

  close(): void {
    this.#grace.stop()
  }
}

function promptsOf({ live, work }: Turn, control: TurnControl, meter: TurnMeter): Prompts {
  const reserve = (count: number) => control.signal({ kind: 'prompts-reserved', count })
  const hear = (answer: Promise<PromptAnswer>): void => {
    answer.then(
      ({ stopReason, raw }) => {
        meter.answered(raw)
        control.signal({ kind: 'answered', stopReason, raw })
      },
      (error) => control.signal({ kind: 'failed', error, waits: waitsForPerson(work.recorder.view) }),
    )
  }
  return {
    reserve() {
      if (control.isOver) return false
      reserve(1)
      return true
    },
    release: () => control.signal({ kind: 'prompt-released' }),
    send: (content, tag) => hear(live.session.prompt(content, tag)),
    adopt(answers) {
      reserve(answers.length)
      for (const answer of answers) hear(answer)
    },
  }
}

interface Watched {
  readonly control: TurnControl
  readonly meter: TurnMeter
  readonly prompts: Prompts
}

function watchTurn(turn: Turn, { control, meter, prompts }: Watched): { checkAll(): void; stop(): void } {
  const { work, run, live, asking } = turn
  const { recorder, lease, stopping, ctx } = work
  const reactToRequests = reactionOf(turn, prompts)
  const react = (view: SessionView) => {
    if (view.run?.id !== run.id) return
    if (isCalledOff(view)) return control.signal({ kind: 'called-off' })
    const reactions = [asking.react(view), reactToRequests(view)]
    Promise.all(reactions).catch((error) => control.signal({ kind: 'failed', error, waits: false }))
  }
  const timers = createTimers(turn, {
    park: () => {
      // Parking now would lose the answer that is on its way to the agent.
      if (!asking.giving) control.signal({ kind: 'park-due' })
    },
    expire: () => react(recorder.view),
  })
  asking.onChange(async () => {
    timers.reset()
    meter.check()
    await turn.files.times.attend(asking.asked)
  })
  void turn.files.times.attend(asking.asked)
  const onStopping = () => {
    const waits = waitsForPerson(recorder.view) && !asking.giving
    control.signal({ kind: 'server-stopping', waits, leaves: leavesAgents(ctx.config) })
  }
  const onLost = () => control.lose(asCarrelError(lease.lost.reason))
  const stops = [
    recorder.onView((view) => live.session.recorded(view.agents[run.agent]?.frame ?? 0)),
    recorder.onView(react),
    onAbort(stopping, onStopping),
    onAbort(lease.lost, onLost),
    timers.clear,
  ]
  return {
    checkAll() {
      if (lease.lost.aborted) onLost()
      if (stopping.aborted) onStopping()
      react(recorder.view)
    },
    stop() {
      for (const stop of stops) stop()
    },
  }
}
