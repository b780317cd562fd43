import { createInterface } from 'node:readline'

/**
 * An agent that takes text while it works, as some real ones do: a second prompt joins the running turn, and both are
 * answered at its end. The agent repeats each text, and ends the turn at `stop`. Speaks ACP v1 without the SDK, so
 * that neither Carrel nor the SDK is on its side of the pipe.
 */
const send = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const waiting: number[] = []

const answers: Record<string, (id: number, params: { sessionId?: string; prompt?: { text?: string }[] }) => void> = {
  initialize: (id) => send({ id, result: { protocolVersion: 1, agentCapabilities: {}, authMethods: [] } }),
  'session/new': (id) => send({ id, result: { sessionId: 'steerable-1' } }),
  'session/prompt': (id, { sessionId, prompt }) => {
    const text = prompt?.at(-1)?.text ?? ''
    waiting.push(id)
    const update = { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: `heard ${text}; ` } }
    send({ method: 'session/update', params: { sessionId, update } })
    if (text.includes('stop'))
      for (const each of waiting.splice(0)) send({ id: each, result: { stopReason: 'end_turn' } })
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  answers[method]?.(id, params)
}
