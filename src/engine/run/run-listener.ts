import type { AgentListener } from '../../host/agent/agent.ts'
import type { RunView } from '../../model/events/view.ts'
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

/**
 * Listens to the agent of a run and records its messages.
 * @param heardBefore an earlier server may have heard the frames up to this one; 0 for none
 */
export function listenerOf(
  { ctx, recorder }: RunWork,
  run: RunView,
  { asking, files }: RunListeners,
  heardBefore: number,
): AgentListener {
  // A stored question is recognised by its text, and stored texts are masked.
  const masked = <T>(value: T): T => ctx.vault.mask(recorder.session.workspace).value(value)
  const inLog = heardBefore === 0 ? 0 : (recorder.view.agents[run.agent]?.frame ?? 0)
  const record = (update: unknown, frame: number, via?: 'permission') => {
    if (frame !== 0 && frame <= inLog) return
    const data = { acp: 1, agent: run.agent, update, ...(via && { via }), ...(frame !== 0 && { frame }) }
    recorder.push({ type: 'agent.update', run: run.id, data })
    files.heard(update)
  }
  return {
    update: (update, frame) => record(update, frame),
    replayed(update) {
      if (OFFERS.has(String((update as { sessionUpdate?: unknown } | null)?.sessionUpdate))) record(update, 0)
    },
    async permission(asked, signal, frame) {
      const request = masked(asked)
      const call = toolCallUpdate(request)
      if (call) record(call, frame, 'permission')
      // The question shows its tool call, so all updates of the call are written and folded first.
      await recorder.record()
      const n = call ? recorder.view.index.tools[call.toolCallId] : undefined
      const known = n === undefined ? undefined : recorder.item(n)
      const question = permissionQuestion(request, known?.kind === 'tool' ? known : undefined)
      const answer = await asking.ask(question, signal, frame <= heardBefore)
      await files.times.resumed()
      return answer ? permissionReply(answer) : { outcome: 'cancelled' }
    },
    async elicit(request, signal, frame) {
      const question = formQuestion(masked(request))
      const answer = await asking.ask(question, signal, frame <= heardBefore)
      await files.times.resumed()
      return answer ? formReply(question, answer) : { action: 'cancel' }
    },
    ...guardFiles(files),
    notice(text, data) {
      const more = data === undefined ? {} : { data }
      recorder.push({ type: 'notice.given', run: run.id, data: { level: 'warning', text, ...more } })
    },
  }
}
