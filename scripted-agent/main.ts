import { randomUUID } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { type AgentContext, agent, ndJsonStream, RequestError } from '@agentclientprotocol/sdk'
import type { McpServer } from './mcp.ts'
import { type Memory, openMemory } from './memory.ts'
import { demoSteps, directiveOf } from './script.ts'
import { play } from './steps.ts'

/**
 * Carrel's own agent, which follows a script instead of a model, for the first run of a person without an agent, and
 * for every test. A program of its own that speaks ACP over stdio and imports only the SDK.
 *
 * A prompt with `@@do [ ...steps ] @@end` runs these steps (`script.ts` lists them); any other prompt gets a small
 * demonstration. `SCRIPTED_QUIRKS` (comma-separated) imitates awkward agents: update_before_create, ask_before_create,
 * no_kind, dup_tool_call, late_updates, early_updates, no_resume (offered, but unknown), unknown_request, withdraw,
 * no_term, no_eof, login, garbage. `SCRIPTED_NO_LOAD` removes load and resume.
 */
const quirks = new Set((process.env.SCRIPTED_QUIRKS ?? '').split(',').filter((one) => one !== ''))
const canLoad = !process.env.SCRIPTED_NO_LOAD
const memory = openMemory(process.env.CARREL_SCRIPTED_HOME ?? join(process.env.HOME ?? homedir(), '.carrel-scripted'))
const live = new Map<string, { memory: Memory; turn: AbortController | null }>()

const MODES = [
  { id: 'ask', name: 'Ask', description: 'Asks before it changes a file.' },
  { id: 'auto', name: 'Auto', description: 'Changes files without asking.' },
]
const COMMANDS = [
  { name: 'tour', description: 'Shows what a session looks like: a plan, a question, a file.' },
  { name: 'say', description: 'Repeats what follows.', input: { hint: 'text' } },
]

function settings({ mode, model }: Memory) {
  const options = [
    { value: 'fast', name: 'Fast', description: 'Speaks quickly.' },
    { value: 'thorough', name: 'Thorough', description: 'Speaks slowly.' },
  ]
  return {
    modes: { currentModeId: mode, availableModes: MODES },
    configOptions: [
      { id: 'model', name: 'Model', category: 'model', type: 'select' as const, currentValue: model, options },
    ],
  }
}

function liveOne(id: string) {
  const session = live.get(id)
  if (!session) throw RequestError.resourceNotFound(id)
  return session
}

function wake(id: string, servers: unknown): Memory {
  const known = canLoad ? (live.get(id)?.memory ?? memory.load(id)) : null
  if (!known) throw RequestError.resourceNotFound(id)
  known.servers = (servers ?? []) as McpServer[]
  live.set(id, { memory: known, turn: null })
  return known
}

function sendTo(client: AgentContext, sessionId: string) {
  return (update: Record<string, unknown>) => client.notify('session/update', { sessionId, update } as never)
}

async function announce(client: AgentContext, id: string): Promise<void> {
  await sendTo(client, id)({ sessionUpdate: 'available_commands_update', availableCommands: COMMANDS })
}

type Block = { readonly type: string; readonly text?: string }

/** Returns the texts before the last one. They may quote earlier orders, so they are only remembered. */
function recordTexts(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).slice(0, -1)
}

function promptText(blocks: readonly Block[]): string {
  const last = blocks.findLastIndex((block) => block.type === 'text')
  return blocks
    .filter((block, at) => block.type !== 'text' || at === last)
    .map((block) => (block.type === 'text' ? block.text : `[${block.type}]`))
    .join('\n')
}

/** Returns the steps of a prompt. Without own steps, the prompt resumes an unfinished turn from before a crash. */
function stepsFor(one: Memory, prompt: string) {
  const ordered = directiveOf(prompt)
  if (ordered) return { steps: ordered, cursor: 0 }
  if (one.pending) return one.pending
  const ownText = /^\/say\s+([\s\S]+)/.exec(prompt)?.[1]
  return { steps: ownText ? [{ say: ownText }] : demoSteps(prompt, one.model), cursor: 0 }
}

async function turn(client: AgentContext, one: Memory, prompt: string, signal: AbortSignal) {
  const resumed = one.pending !== null && directiveOf(prompt) === null
  one.pending = stepsFor(one, prompt)
  if (!resumed) one.turns += 1
  const ownText = prompt.replace(/@@do[\s\S]*@@end/, '').trim()
  if (one.title === '') one.title = ownText.slice(0, 60) || 'Scripted session'
  one.transcript.push({ sessionUpdate: 'user_message_chunk', content: { type: 'text', text: prompt } })
  memory.save(one)
  const send = sendTo(client, one.id)
  const { steps } = one.pending
  for (let cursor = one.pending.cursor; cursor < steps.length; cursor += 1) {
    signal.throwIfAborted()
    const remember = (update: Record<string, unknown>) => void one.transcript.push(update)
    const call = `call-${one.turns}-${cursor}`
    const outcome = await play(steps[cursor] ?? {}, { client, memory: one, quirks, signal, call, send, remember })
    one.pending = { steps, cursor: cursor + 1 }
    memory.save(one)
    if (outcome) return outcome.stop
  }
  return 'end_turn'
}

async function prompt(client: AgentContext, id: string, blocks: readonly Block[]): Promise<{ stopReason: never }> {
  const session = liveOne(id)
  if (session.turn) throw new RequestError(-32600, 'This session already runs a prompt.')
  const ownText = promptText(blocks)
  for (const text of recordTexts(blocks))
    session.memory.transcript.push({ sessionUpdate: 'user_message_chunk', content: { type: 'text', text } })
  const controller = new AbortController()
  session.turn = controller
  try {
    return { stopReason: (await turn(client, session.memory, ownText, controller.signal)) as never }
  } catch (thrown) {
    if (controller.signal.aborted || (thrown as Error).name === 'AbortError')
      return { stopReason: 'cancelled' as never }
    throw thrown instanceof RequestError ? thrown : RequestError.internalError(undefined, (thrown as Error).message)
  } finally {
    session.turn = null
    // A turn that ends because the client went away is unfinished: the next prompt resumes it.
    if (!process.stdin.readableEnded && !connection.signal.aborted) {
      session.memory.pending = null
      memory.save(session.memory)
    }
    if (quirks.has('late_updates')) {
      const late = { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'late' } }
      setTimeout(() => void sendTo(client, id)(late), 20)
    }
  }
}

const app = agent({ name: 'carrel-scripted' })
  .onRequest('initialize', () => ({
    protocolVersion: 1,
    agentInfo: { name: process.env.SCRIPTED_NAME ?? 'carrel-scripted', title: 'Scripted agent', version: '1.0.0' },
    agentCapabilities: {
      loadSession: canLoad,
      promptCapabilities: { image: true, embeddedContext: true },
      sessionCapabilities: { list: {}, close: {}, delete: {}, ...(canLoad ? { resume: {} } : {}) },
    },
    authMethods: [],
  }))
  .onRequest('session/new', async ({ params, client }) => {
    if (quirks.has('login')) throw RequestError.authRequired()
    const id = `scripted-${randomUUID()}`
    const fresh = { title: '', mode: 'ask', model: 'fast', turns: 0, allowed: [], transcript: [], pending: null }
    const one: Memory = { id, cwd: params.cwd, servers: params.mcpServers as McpServer[], ...fresh }
    live.set(id, { memory: one, turn: null })
    memory.save(one)
    if (quirks.has('early_updates')) await announce(client, id)
    else setImmediate(() => void announce(client, id))
    if (quirks.has('garbage')) process.stdout.write('Warning: this line is not a message\n')
    if (quirks.has('unknown_request')) void client.request('craft/drain', { sessionId: id }).catch(() => undefined)
    return { sessionId: id, ...settings(one) }
  })
  .onRequest('session/load', async ({ params, client }) => {
    const one = wake(params.sessionId, params.mcpServers)
    for (const update of one.transcript) await sendTo(client, one.id)(update)
    setImmediate(() => void announce(client, one.id))
    return settings(one)
  })
  .onRequest('session/resume', ({ params }) => {
    if (quirks.has('no_resume')) throw RequestError.methodNotFound('session/resume')
    return settings(wake(params.sessionId, params.mcpServers))
  })
  .onRequest('session/list', ({ params }) => ({
    sessions: memory.list(params.cwd).map(({ id, cwd, title }) => ({ sessionId: id, cwd, title })),
  }))
  .onRequest('session/close', ({ params }) => {
    live.get(params.sessionId)?.turn?.abort()
    live.delete(params.sessionId)
    return {}
  })
  .onRequest('session/delete', ({ params }) => {
    live.delete(params.sessionId)
    memory.forget(params.sessionId)
    return {}
  })
  .onRequest('session/set_mode', async ({ params, client }) => {
    const one = liveOne(params.sessionId).memory
    if (!MODES.some((mode) => mode.id === params.modeId))
      throw RequestError.invalidParams(undefined, `no mode ${params.modeId}`)
    one.mode = params.modeId
    memory.save(one)
    await sendTo(client, one.id)({ sessionUpdate: 'current_mode_update', currentModeId: one.mode })
    return {}
  })
  .onRequest('session/set_config_option', ({ params }) => {
    const one = liveOne(params.sessionId).memory
    if (params.configId !== 'model') throw RequestError.invalidParams(undefined, `no option ${params.configId}`)
    one.model = String(params.value)
    memory.save(one)
    return { configOptions: settings(one).configOptions }
  })
  .onRequest('session/prompt', ({ params, client }) => prompt(client, params.sessionId, params.prompt))
  .onNotification('session/cancel', ({ params }) => live.get(params.sessionId)?.turn?.abort())

if (quirks.has('no_term')) process.on('SIGTERM', () => undefined)
const stream = ndJsonStream(
  Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  Readable.toWeb(process.stdin) as unknown as ReadableStream<Uint8Array>,
)
const connection = app.connect(stream)
await connection.closed
if (quirks.has('no_eof')) setInterval(() => undefined, 60_000)
else process.exit(0)
