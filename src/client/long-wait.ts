import type { Input, Output } from '../api/index.ts'
import type { Timing } from './timing.ts'

type Prompt = Input<'sessions.prompt'>
type Prompted = Output<'sessions.prompt'>

/** What the table gives where the caller says nothing. ms. */
const USUAL_TIMEOUT_MS = 600_000

/**
 * Asks and waits in several requests, none longer than `longestAnswerMs`: proxies and HTTP clients give up on an
 * answer after a minute or five. The key makes all of them one prompt (L2).
 */
export async function promptPatiently(
  send: (input: Prompt) => Promise<Prompted>,
  input: Prompt,
  timing: Timing,
): Promise<Prompted> {
  if (input.wait === undefined || input.wait === 'accepted') return send(input)
  const { wait } = input
  const until = timing.now() + Number(input.timeoutMs ?? USUAL_TIMEOUT_MS)
  const key = input.key ?? randomKey()
  let first: Prompted | null = null
  for (;;) {
    const asked = timing.now()
    const timeoutMs = Math.max(0, Math.min(timing.longestAnswerMs, until - asked))
    const answer: Prompted = await send({ ...input, key, timeoutMs })
    first ??= answer
    const reached = answer.state === 'ended' || answer.state === 'withdrawn' || answer.state === wait
    const now = timing.now()
    // An answer that came early without news says that the server does not wait: asking on would be a storm.
    if (reached || now >= until || now - asked < timeoutMs / 2) return { ...answer, repeated: first.repeated }
  }
}

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `wait-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
