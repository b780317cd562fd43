import type { AgentListener } from '../../host/agent/agent.ts'
import type { Outcome } from '../../model/events/events.ts'
import type { ItemIndex, RunView } from '../../model/events/view.ts'
import type { AgentId, RunId } from '../../model/ids.ts'
import type { Answer, Question } from '../../model/interaction.ts'
import type { RunFiles } from './files/run-files.ts'
import type { RunWork } from './run-work.ts'
import type { RunQuestions } from './turn/asking.ts'
import { formQuestion, formReply, permissionQuestion, permissionReply, toolCallUpdate } from './turn/questions.ts'
import { guardFiles } from './turn/read-guard.ts'

/** The parts of a run that receive messages of its agent, besides the log. */
export interface RunListeners {
  readonly asking: RunQuestions
  readonly files: RunFiles
}

/** Updates of a replayed conversation that are recorded: the current offers of the agent, not its transcript. */
const OFFERS = new Set([
  'available_commands_update',
  'current_mode_update',
  'config_option_update',
  'usage_update',
  'session_info_update',
])

/** Whether an update tells the agent's current offers, and no work of it. */
export const isOffer = (update: unknown): boolean =>
  OFFERS.has(String((update as { sessionUpdate?: unknown } | null)?.sessionUpdate))

/**
 * Listens to the agent of a run and records its messages.
 * @param heardBefore an earlier server may have heard the frames up to this one; 0 for none
 */
export function listenerOf(
  work: RunWork,
  run: RunView,
  { asking, files }: RunListeners,
  heardBefore: number,
): AgentListener {
  const { recorder } = work
  const inLog = heardBefore === 0 ? 0 : (recorder.view.agents[run.agent]?.frame ?? 0)
  const recording = recordingOf(work, {
    agent: run.agent,
    run: () => run.id,
    afterword: false,
    records: (frame) => frame === 0 || frame > inLog,
    framed: () => true,
    index: () => recorder.view.index,
    async ask(question, signal, frame) {
      const answer = await asking.ask(question, signal, frame <= heardBefore)
      await files.times.resumed()
      return answer
    },
  })
  return {
    ...recording,
    update(update, frame) {
      recording.update(update, frame)
      if (frame === 0 || frame > inLog) files.heard(update)
    },
    ...guardFiles(files),
  }
}

/** The sender of messages, and how they are recorded. */
export interface Speaker {
  readonly agent: AgentId
  /** The run that a message belongs to at the moment. */
  readonly run: () => RunId
  /** The messages are afterwords of the run. */
  readonly afterword: boolean
  /** Whether the log lacks the message of a frame; frame 0 has no number. */
  readonly records: (frame: number) => boolean
  /** Whether the log counts the frames of the sender's process. */
  readonly framed: () => boolean
  /** The items that the messages change. */
  readonly index: () => ItemIndex
  /** Asks people. Null: no answer will come. */
  readonly ask: (question: Question, signal: AbortSignal, frame: number) => Promise<Answer | null>
}

/** The part of a listener that writes to the log and asks people. */
export function recordingOf(
  { ctx, recorder }: RunWork,
  speaker: Speaker,
): Omit<AgentListener, 'read' | 'mayWrite' | 'wrote'> {
  // A stored question is recognised by its text, and stored texts are masked.
  const masked = <T>(value: T): T => ctx.vault.mask(recorder.session.workspace).value(value)
  const afterword = speaker.afterword ? { afterword: true as const } : {}
  const record = (update: unknown, frame: number, via?: 'permission') => {
    if (!speaker.records(frame)) return
    const numbered = frame !== 0 && speaker.framed() ? { frame } : {}
    const data = { acp: 1, agent: speaker.agent, update, ...(via && { via }), ...numbered, ...afterword }
    recorder.push({ type: 'agent.update', run: speaker.run(), data })
  }
  return {
    update: (update, frame) => record(update, frame),
    prompted: () => undefined,
    replayed(update) {
      if (isOffer(update)) record(update, 0)
    },
    async permission(asked, signal, frame) {
      const request = masked(asked)
      const call = toolCallUpdate(request)
      if (call) record(call, frame, 'permission')
      // The question shows its tool call, so all updates of the call are written and folded first.
      await recorder.record()
      const n = call ? speaker.index().tools[call.toolCallId] : undefined
      const known = n === undefined ? undefined : recorder.item(n)
      const question = permissionQuestion(request, known?.kind === 'tool' ? known : undefined)
      const answer = await speaker.ask(question, signal, frame)
      return answer ? permissionReply(answer) : { outcome: 'cancelled' }
    },
    async elicit(request, signal, frame) {
      const question = formQuestion(masked(request))
      const answer = await speaker.ask(question, signal, frame)
      return answer ? formReply(question, answer) : { action: 'cancel' }
    },
    notice(text, data) {
      const more = data === undefined ? {} : { data }
      const given: Outcome = {
        type: 'notice.given',
        run: speaker.run(),
        data: { level: 'warning', text, ...more, ...afterword },
      }
      recorder.push(given)
    },
  }
}
