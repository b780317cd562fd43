import type { AgentInfo } from './contract.ts'
import { AgentFailure, NOT_FOUND } from './wire.ts'

const MINUTE_MS = 60_000

/**
 * Returns the earliest time (ms since 1970) at which a session opened at `openedAtMs` may be loaded again.
 *
 * Gemini CLI names its record after the clock minute: a load within the minute of the opening overwrites the record and
 * loses the conversation. Every other agent allows a load at once.
 */
export function reopenableAt(info: AgentInfo, openedAtMs: number): number {
  if (!isGemini(info)) return openedAtMs
  return (Math.floor(openedAtMs / MINUTE_MS) + 1) * MINUTE_MS + 1_000
}

/** Gemini CLI ends a turn on any failed read: for it alone, a missing file must read as empty. */
export const readsMissingAsEmpty = (info: AgentInfo): boolean => isGemini(info)

const isGemini = (info: AgentInfo): boolean => /^gemini/i.test(info.agentInfo?.name ?? '')

const SESSION_UNKNOWN =
  /\b(unknown|no such|invalid|no active|not find|find no|no longer know\w*( (the|this|that))?|there is no) (acp |agent )?session\b|\bsession\b.{0,120}\b(not found|unknown|does not exist|doesn't exist|not (open|active|loaded|known)|no longer|ended|expired|closed)\b|\bstart a new session\b/i

/**
 * Whether an agent says that it does not have the session of a prompt or setting. Agents say so by different codes, and
 * some only in words.
 */
export function saysSessionUnknown(thrown: unknown): boolean {
  if (!(thrown instanceof AgentFailure) || thrown.code === undefined) return false
  const { uri } = (thrown.data ?? {}) as { uri?: unknown }
  // A missing file is "not found" too, and named by its address.
  const isFile = typeof uri === 'string' && uri.includes('/')
  return (thrown.code === NOT_FOUND && !isFile) || SESSION_UNKNOWN.test(thrown.message)
}
