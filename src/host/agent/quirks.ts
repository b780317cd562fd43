import type { AgentInfo } from './contract.ts'

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

/** Gemini CLI answers a load first and replays the past afterwards. */
export const replaysAfterAnswer = (info: AgentInfo): boolean => isGemini(info)

const isGemini = (info: AgentInfo): boolean => /^gemini/i.test(info.agentInfo?.name ?? '')
