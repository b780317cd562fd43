import type { AgentListener } from '../../host/agent/agent.ts'
import type { RunView } from '../../model/view.ts'
import type { Asking } from './asking.ts'
import { formQuestion, formReply, permissionQuestion, permissionReply, toolCallUpdate } from './questions.ts'
import { guardFiles } from './read-guard.ts'
import type { RunFiles } from './run-files.ts'
import type { RunWork } from './run-work.ts'

/** Who hears an agent for its run, besides the log. */
export interface Ears {
  readonly asking: Asking
  readonly files: RunFiles
}

/** `heardBefore`: frames up to it may have been heard by an earlier life of this server. */
export function listenerOf(
  { ctx, recorder }: RunWork,
  run: RunView,
  { asking, files }: Ears,
  heardBefore: number,
): AgentListener {
  // A question is known again by its words: those that are stored.
  const hidden = <T>(said: T): T => ctx.vault.mask(recorder.session.workspace).value(said)
  const inLog = heardBefore === 0 ? 0 : (recorder.view.agents[run.agent]?.frame ?? 0)
  const update = (said: unknown, frame: number, via?: 'permission') => {
    if (frame !== 0 && frame <= inLog) return
    const data = { acp: 1, agent: run.agent, update: said, ...(via && { via }), ...(frame !== 0 && { frame }) }
    recorder.push({ type: 'agent.update', run: run.id, data })
    files.heard(said)
  }
  return {
    update: (said, frame) => update(said, frame),
    // A replay is known already; only what an agent offers now, and no transcript, is news in it.
    replayed: (said) => {
      if (OFFERS.has(String((said as { sessionUpdate?: unknown } | null)?.sessionUpdate))) update(said, 0)
    },
    async permission(asked, signal, frame) {
      const request = hidden(asked)
      const call = toolCallUpdate(request)
      if (call) update(call, frame, 'permission')
      // What was said of the call until now is written and folded, since the question shows it.
      await recorder.record()
      const n = call ? recorder.view.index.tools[call.toolCallId] : undefined
      const known = n === undefined ? undefined : recorder.item(n)
      const question = permissionQuestion(request, known?.kind === 'tool' ? known : undefined)
      const answer = await asking.ask(question, signal, frame <= heardBefore)
      return answer ? permissionReply(answer) : { outcome: 'cancelled' }
    },
    async elicit(request, signal, frame) {
      const question = formQuestion(hidden(request))
      const answer = await asking.ask(question, signal, frame <= heardBefore)
      return answer ? formReply(question, answer) : { action: 'cancel' }
    },
    ...guardFiles(files),
    notice: (text, data) =>
      recorder.push({
        type: 'notice.given',
        run: run.id,
        data: { level: 'warning', text, ...(data === undefined ? {} : { data }) },
      }),
  }
}

const OFFERS = new Set([
  'available_commands_update',
  'current_mode_update',
  'config_option_update',
  'usage_update',
  'session_info_update',
])
