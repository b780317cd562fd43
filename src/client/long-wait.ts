import type { Input, Output } from '../api/index.ts'
import type { Timing } from './timing.ts'

type Prompt = Input<'sessions.prompt'>
type Prompted = Output<'sessions.prompt'>

/** Default of `timeoutMs` in the operation's input. ms. */
const USUAL_TIMEOUT_MS = 600_000

/**
 * Sends a prompt and waits in several requests, none longer than `longestAnswerMs`: proxies and HTTP clients time out
 * after one to five minutes. The idempotency key makes all requests one prompt (L2).
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
    // An early answer without news means that the server does not wait; more requests would flood it.
    if (reached || now >= until || now - asked < timeoutMs / 2) return { ...answer, repeated: first.repeated }
  }
}

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `wait-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
