/** What a client takes from outside: time, chance and patience. Tests own them. */
export interface Timing {
  /** ms since 1970. */
  readonly now: () => number
  /** 0 to below 1. */
  readonly random: () => number
  /** The first wait before trying again, and the longest. ms. */
  readonly firstWaitMs: number
  readonly longestWaitMs: number
  /** A stream that says nothing at all for this long is taken for dead. ms; the server says something every 15 s. */
  readonly silenceMs: number
  /** No answer is waited for longer than this in one request. ms; proxies often give up after 60 s. */
  readonly longestAnswerMs: number
}

/** The real ones: for a page and for a program, which have no engine to ask. */
export const REAL_TIMING: Timing = {
  now: Date.now,
  random: Math.random,
  firstWaitMs: 250,
  longestWaitMs: 10_000,
  silenceMs: 40_000,
  longestAnswerMs: 50_000,
}
