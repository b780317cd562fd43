import type { Item } from './events/items.ts'
import type { RunOutcome } from './tree.ts'

/** The outcome of a run whose agent answered. */
export interface Judgement {
  readonly outcome: RunOutcome
  /** The trouble, and what to do next. */
  readonly problem: { readonly message: string; readonly next: string } | null
  /** A remark for people about an answer that only seems fine. */
  readonly notice: string | null
}

const OUTCOME_OF: Readonly<Record<string, RunOutcome>> = {
  end_turn: 'completed',
  cancelled: 'cancelled',
  refusal: 'refused',
  max_tokens: 'over_budget',
  max_turn_requests: 'over_budget',
}

const LONGEST_REASON = 100

/**
 * Judges an agent's answer by its ACP stop reason and by the items of its run, oldest first. `end_turn` alone does not
 * prove success: some agents answer so after an error of their model.
 */
export function judgeAnswer(stopReason: string, items: readonly Item[]): Judgement {
  const outcome = OUTCOME_OF[stopReason]
  if (outcome === undefined) {
    const notice = `The agent ended its turn with an unknown reason: ${stopReason.slice(0, LONGEST_REASON)}. Check whether it finished.`
    return { outcome: 'completed', problem: null, notice }
  }
  if (outcome === 'over_budget') {
    const limit = stopReason === 'max_tokens' ? 'tokens' : 'steps in one turn'
    const message = `The agent reached its limit of ${limit}.`
    return { outcome, problem: { message, next: 'Prompt again to let it go on.' }, notice: null }
  }
  const hidden = stopReason === 'end_turn' ? hiddenError(items) : null
  if (hidden === null) return { outcome, problem: null, notice: null }
  const next = 'Check the login and the model of the agent, then prompt again.'
  return { outcome: 'failed', problem: { message: hidden, next }, notice: null }
}

/** Beginnings that agents give to a model error they pass off as an answer. */
const ERROR_TEXT =
  /^\W*(api error|error:|error \d{3}|\[?api error|unexpected status [45]\d\d|http [45]\d\d|stream error|stream disconnected|exceeded retry limit|(the )?(model|codex) (is at capacity|turn failed)|selected model is at capacity|turn failed|llm (request )?(error|failed)|failed to (call|reach|get a response)|request failed|we.re currently experiencing high demand|\{"?(type"?: ?"?)?error)/i

/** Texts of some agents between two tries of a request to their model. */
const RETRYING =
  /((info: request failed due to a transient api error\. )?retrying( \([^)]{1,80}\))?\.{3}|retry finished, resuming\.)\s*/gi

/** Longer texts count as an answer, even if they begin like an error. */
const LONGEST_ERROR = 2_000

/** Updates of these kinds tell people something; no work is in them. */
const TOLD = /^(notice|session_info_update|state_update|_)/
const isDeed = (item: Item): boolean =>
  item.kind === 'raw' ? !TOLD.test(item.name) : !['message', 'thought', 'notice'].includes(item.kind)

/**
 * Codex ends a failed turn by `end_turn` too, with the error as a paragraph behind everything that it said before. An
 * answer of the model does not end with an empty line.
 */
const LAST_WORDS =
  /(stream disconnected before completion: |exceeded retry limit, last status: |unexpected status [45]\d\d )[^\n]{0,1000}\n\n$/

/**
 * The error behind an answer that only looks successful: the agent said nothing at all, only an error, or an error last.
 */
function hiddenError(items: readonly Item[]): string | null {
  const last = items.findLast(({ kind }) => kind !== 'notice' && kind !== 'files')
  const cut = last?.kind === 'message' && last.role === 'agent' ? LAST_WORDS.exec(last.text) : null
  if (cut) return cut[0].trim()
  if (items.some(isDeed)) return null
  const texts = items.flatMap((item) => (item.kind === 'message' && item.role === 'agent' ? [item.text] : []))
  if (items.length === 0)
    return 'The agent ended its turn without saying or doing anything; usually its model could not be reached.'
  const only = texts.length === 1 ? (texts[0] ?? '').replace(RETRYING, '').trim() : null
  if (only === '') return 'The agent tried its model again and again, and then ended its turn without an answer.'
  return only !== null && only.length < LONGEST_ERROR && ERROR_TEXT.test(only) ? only : null
}
