/** Time, randomness and timeouts of a client; tests replace them. */
export interface Timing {
  /** ms since 1970. */
  readonly now: () => number
  /** 0 to below 1. */
  readonly random: () => number
  /** First and longest wait before a retry. ms. */
  readonly firstWaitMs: number
  readonly longestWaitMs: number
  /** A stream without data for this long counts as dead. ms; the server sends a heartbeat every 15 s. */
  readonly silenceMs: number
  /** Longest wait for an answer in one request. ms; proxies often time out after 60 s. */
  readonly longestAnswerMs: number
}

export const REAL_TIMING: Timing = {
  now: Date.now,
  random: Math.random,
  firstWaitMs: 250,
  longestWaitMs: 10_000,
  silenceMs: 40_000,
  longestAnswerMs: 50_000,
}
