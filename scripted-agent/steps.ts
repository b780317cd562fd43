import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync, writeSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentContext } from '@agentclientprotocol/sdk'
import { callTool } from './mcp.ts'
import type { Memory } from './memory.ts'
import { keyOf, pieces, type ScriptStep, type StepKey } from './script.ts'

/** Context of a step. `remember` keeps an update for later replays. */
export interface Stage {
  readonly client: AgentContext
  readonly memory: Memory
  readonly quirks: ReadonlySet<string>
  /** Fires when the turn is cancelled. */
  readonly signal: AbortSignal
  readonly call: string
  send(update: Record<string, unknown>): Promise<void>
  remember(update: Record<string, unknown>): void
}

/** `stop` ends the turn with that reason; later steps are skipped. */
export type StepOutcome = { stop: string } | undefined
// biome-ignore lint/suspicious/noConfusingVoidType: most steps have nothing to say about how the turn goes on
type Act = (step: ScriptStep, stage: Stage) => Promise<StepOutcome | void>

export const play = async (step: ScriptStep, stage: Stage): Promise<StepOutcome> =>
  (await ACTS[keyOf(step)](expanded(step), stage)) ?? undefined

function expanded(step: ScriptStep): ScriptStep {
  if (step.expand !== true) return step
  const value = (name: string) => JSON.stringify(process.env[name] ?? '').slice(1, -1)
  return JSON.parse(JSON.stringify(step).replace(/\$([A-Z_][A-Z0-9_]*)/g, (_all, name: string) => value(name)))
}

/** Memory that `take` allocated. */
const taken: Buffer[] = []
const PIECE_BYTES = 8 << 20

const text = (value: unknown) => ({ type: 'text', text: String(value) })
const block = (value: unknown) => [{ type: 'content', content: text(value) }]

const ACTS: Record<StepKey, Act> = {
  say: (step, stage) => stream('agent_message_chunk', step.say, step, stage),
  think: (step, stage) => stream('agent_thought_chunk', step.think, step, stage),
  plan: async (step, stage) => {
    const entries = (step.plan as unknown[]).map((entry) =>
      typeof entry === 'string' ? { content: entry, priority: 'medium', status: 'pending' } : entry,
    )
    await keep(stage, { sessionUpdate: 'plan', entries })
  },
  repeat: async (step, stage) => {
    for (let count = 0; count < Number(step.repeat); count += 1) {
      await stage.send({ sessionUpdate: 'agent_message_chunk', content: text(step.say ?? `${count} `) })
      await sleep(Number(step.everyMs ?? 0), undefined, { signal: stage.signal })
    }
  },
  calls: async (step, stage) => {
    for (let count = 0; count < Number(step.calls) && !stage.signal.aborted; count += 1) {
      const toolCallId = `${stage.call}-${count}`
      await stage.send({ sessionUpdate: 'tool_call', toolCallId, title: `Call ${count}`, status: 'in_progress' })
      await stage.send({ sessionUpdate: 'tool_call_update', toolCallId, status: 'completed' })
      // The connection gets its turn.
      if (count % 100 === 99) await sleep(0)
    }
  },
  read: async (step, stage) => {
    const path = resolve(stage.memory.cwd, String(step.read))
    const about = { kind: 'read', title: `Read ${step.read}`, locations: [{ path }], rawInput: { path } }
    await tool(stage, about, step.ask === true, async () => {
      const sessionId = stage.memory.id
      const viaClient = async () => (await stage.client.request('fs/read_text_file', { sessionId, path })).content
      return block(step.via === 'client' ? await viaClient() : readFileSync(path, 'utf8'))
    })
  },
  list: async (step, stage) => {
    const path = resolve(stage.memory.cwd, String(step.list))
    const about = { kind: 'read', title: 'Look into the folder', locations: [{ path }], rawInput: { path } }
    await tool(stage, about, false, async () => {
      const names = readdirSync(path).filter((name) => !name.startsWith('.'))
      return block(names.length === 0 ? 'The folder is empty.' : names.slice(0, 20).join('\n'))
    })
  },
  write: async (step, stage) => {
    const path = resolve(stage.memory.cwd, String(step.write))
    const old = existsSync(path) ? readFileSync(path, 'utf8') : null
    await change(stage, step, { path, old, next: String(step.content ?? '') })
  },
  edit: async (step, stage) => {
    const path = resolve(stage.memory.cwd, String(step.edit))
    const old = readFileSync(path, 'utf8')
    if (!old.includes(String(step.old))) throw new Error(`${step.edit} does not hold the text to replace.`)
    await change(stage, step, { path, old, next: old.replace(String(step.old), () => String(step.new)) })
  },
  run: async (step, stage) => {
    const command = String(step.run)
    const about = { kind: 'execute', title: command, rawInput: { command } }
    await tool(stage, about, step.ask === true, () =>
      step.via === 'client' ? runAtClient(command, stage) : runHere(command, stage),
    )
  },
  ask: async (step, stage) => {
    const { title, options } = step.ask as { title?: string; options?: unknown[] }
    const about = { kind: 'other', title: title ?? 'May I go on?', rawInput: step.ask }
    const chosen = await permission(stage, about, options)
    await tell(stage, `You chose: ${chosen}\n`)
  },
  form: async (step, stage) => {
    const { message, schema } = step.form as { message: string; schema: Record<string, unknown> }
    const request = { sessionId: stage.memory.id, mode: 'form', message, requestedSchema: schema }
    const until = { cancellationSignal: stage.signal }
    const answer = await stage.client.request('elicitation/create', request as never, until)
    await tell(stage, `You answered: ${JSON.stringify(answer)}\n`)
  },
  update: (step, stage) => keep(stage, step.update as Record<string, unknown>),
  fail: async (step) => {
    throw new Error(String(step.fail))
  },
  fail_text: async (step, stage) => {
    await tell(stage, step.fail_text)
    return { stop: 'end_turn' }
  },
  crash: async () => process.exit(1),
  hang: async (_step, stage) => void (await sleep(2 ** 31 - 1, undefined, { signal: stage.signal })),
  sleep: async (step, stage) => void (await sleep(Number(step.sleep), undefined, { signal: stage.signal })),
  take: async (step) => {
    for (let left = Number(step.take); left > 0; left -= PIECE_BYTES) {
      taken.push(Buffer.alloc(Math.min(left, PIECE_BYTES), 1))
      await sleep(0)
    }
  },
  usage: (step, stage) => keep(stage, { sessionUpdate: 'usage_update', ...(step.usage as object) }),
  stop: async (step) => ({ stop: String(step.stop) }),
  gate: (step, stage) => appears(resolve(stage.memory.cwd, String(step.gate)), stage.signal),
  stderr: async (step) => void process.stderr.write(`${step.stderr}\n`),
  garbage: async (step) => void process.stdout.write(`${step.garbage}\n`),
  huge: (step, stage) =>
    stage.send({ sessionUpdate: 'agent_message_chunk', content: text('x'.repeat(Number(step.huge))) }),
  mcp: async (step, stage) => {
    const { mcp, tool: name, arguments: args } = step as { mcp: string; tool: string; arguments?: object }
    const server = stage.memory.servers.find((each) => each.name === mcp)
    await tool(stage, { kind: 'other', title: `${mcp}: ${name}`, rawInput: args }, step.ask === true, async () => {
      if (!server) throw new Error(`The client gave no server ${mcp}.`)
      const result = await callTool(server, name, args ?? {}, stage.signal)
      return [text(result.text), ...result.pictures].map((content) => ({ type: 'content', content }))
    })
  },
  later: async (step, stage) => {
    const { signal } = new AbortController()
    const goOn = async () => {
      for (const [at, each] of (step.later as ScriptStep[]).entries())
        await play(each, { ...stage, signal, call: `${stage.call}-${at}` })
    }
    goOn().catch((error: Error) => process.stderr.write(`${error.message}\n`))
  },
  farewell: async (step, stage) => {
    const { id: sessionId } = stage.memory
    const update = { sessionUpdate: 'agent_message_chunk', content: text(step.farewell) }
    const frame = { jsonrpc: '2.0', method: 'session/update', params: { sessionId, update } }
    // The connection is gone by then.
    process.once('exit', () => writeSync(1, `${JSON.stringify(frame)}\n`))
  },
  request: async (step, stage) => {
    const { method, params } = step.request as { method: string; params?: object }
    const answer = await stage.client
      .request(method, { sessionId: stage.memory.id, ...params })
      .catch((error: { code?: number; message?: string }) => ({ error: { code: error.code, message: error.message } }))
    await tell(stage, JSON.stringify(answer))
  },
}

/** Sends a whole message of the agent. */
const tell = (stage: Stage, message: unknown): Promise<void> =>
  keep(stage, { sessionUpdate: 'agent_message_chunk', content: text(message) })

async function keep(stage: Stage, update: Record<string, unknown>): Promise<void> {
  await stage.send(update)
  stage.remember(update)
}

/** Streams a text. Only a complete text is remembered: real agents never replay an interrupted one either. */
async function stream(kind: string, value: unknown, step: ScriptStep, stage: Stage): Promise<void> {
  const whole = String(value)
  const parts = pieces(whole, Number(step.chunks ?? (step.delayMs ? whole.length / 12 : 1)))
  const message = typeof step.messageId === 'string' ? { messageId: step.messageId } : {}
  for (const part of parts) {
    stage.signal.throwIfAborted()
    await stage.send({ sessionUpdate: kind, content: text(part), ...message })
    if (step.delayMs) await sleep(Number(step.delayMs), undefined, { signal: stage.signal })
  }
  stage.remember({ sessionUpdate: kind, content: text(whole), ...message })
}

interface FileChange {
  readonly path: string
  readonly old: string | null
  readonly next: string
}

async function change(stage: Stage, step: ScriptStep, { path, old, next }: FileChange): Promise<void> {
  const diff = { type: 'diff', path, oldText: old, newText: next }
  const about = {
    kind: 'edit',
    title: `${old === null ? 'Write' : 'Edit'} ${basename(path)}`,
    locations: [{ path }],
    rawInput: { path, content: next },
  }
  await tool(stage, { ...about, content: [diff] }, step.ask !== false, async () => {
    if (step.via === 'client') {
      await stage.client.request('fs/write_text_file', { sessionId: stage.memory.id, path, content: next })
    } else {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, next)
    }
    return [diff]
  })
}

/** Runs a tool call from start to end, with its permission request. A refusal does not fail the turn. */
async function tool(
  stage: Stage,
  about: Record<string, unknown>,
  asks: boolean,
  act: () => Promise<unknown[]>,
): Promise<void> {
  const { quirks, call } = stage
  const shown = quirks.has('no_kind') ? { ...about, kind: undefined } : about
  const first = {
    sessionUpdate: quirks.has('update_before_create') ? 'tool_call_update' : 'tool_call',
    toolCallId: call,
    ...shown,
    status: 'pending',
  }
  if (!quirks.has('ask_before_create') || !asks) await stage.send(first)
  if (quirks.has('dup_tool_call')) await stage.send(first)
  const end = async (status: string, content: unknown[]) => {
    await stage.send({ sessionUpdate: 'tool_call_update', toolCallId: call, status, content })
    stage.remember({ sessionUpdate: 'tool_call', toolCallId: call, ...shown, status, content })
  }
  const allowed = !asks || stage.memory.mode === 'auto' || stage.memory.allowed.includes(String(about.kind))
  if (!allowed) {
    const chosen = await permission(stage, about)
    if (chosen === 'allow-always') stage.memory.allowed.push(String(about.kind))
    if (!chosen.startsWith('allow')) return await end('failed', block('The person did not allow it.'))
  }
  await stage.send({ sessionUpdate: 'tool_call_update', toolCallId: call, status: 'in_progress' })
  try {
    await end('completed', await act())
  } catch (thrown) {
    if (stage.signal.aborted) throw thrown
    await end('failed', block(thrown instanceof Error ? thrown.message : thrown))
  }
}

const OPTIONS = [
  { optionId: 'allow-once', name: 'Allow', kind: 'allow_once' },
  { optionId: 'allow-always', name: 'Always allow', kind: 'allow_always' },
  { optionId: 'reject-once', name: 'Do not allow', kind: 'reject_once' },
]

async function permission(stage: Stage, about: Record<string, unknown>, options: unknown[] = OPTIONS): Promise<string> {
  const toolCall = {
    toolCallId: stage.call,
    ...about,
    ...(stage.quirks.has('no_kind') ? { kind: undefined } : { status: 'pending' }),
  }
  const offered = options.map((one) =>
    typeof one === 'string' ? { optionId: one, name: one, kind: 'allow_once' } : one,
  )
  const params = { sessionId: stage.memory.id, toolCall, options: offered }
  // Some agents wait for the answer even after a cancel, so the client must always answer.
  const withdraw = stage.quirks.has('withdraw') ? { cancellationSignal: stage.signal } : {}
  const { outcome } = await stage.client.request('session/request_permission', params as never, withdraw)
  stage.signal.throwIfAborted()
  if (outcome.outcome !== 'selected') throw new DOMException('cancelled', 'AbortError')
  return String((outcome as { optionId: unknown }).optionId)
}

/** Runs a command like real agents: in its own session and group, which survives the agent's death. */
async function runHere(command: string, stage: Stage): Promise<unknown[]> {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: stage.memory.cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const onOutput = (chunk: Buffer) => {
    output += chunk.toString('utf8')
    void progress(stage, block(output))
  }
  child.stdout.on('data', onOutput)
  child.stderr.on('data', onOutput)
  const code = await new Promise<number | null>((done, failed) => {
    child.once('close', done)
    child.once('error', failed)
    // Some agents leave the command running after a cancel, and the host must cope.
    stage.signal.addEventListener('abort', () => failed(stage.signal.reason), { once: true })
  })
  if (code !== 0) throw new Error(`${output}\nThe command ended with exit code ${code}.`)
  return block(output)
}

const progress = (stage: Stage, content: unknown[]): Promise<void> =>
  stage.send({ sessionUpdate: 'tool_call_update', toolCallId: stage.call, status: 'in_progress', content })

async function runAtClient(command: string, stage: Stage): Promise<unknown[]> {
  const terminal = await stage.client.createTerminal({
    sessionId: stage.memory.id,
    command: '/bin/sh',
    args: ['-c', command],
  })
  const content = [{ type: 'terminal', terminalId: terminal.id }]
  await progress(stage, content)
  const { exitCode } = await terminal.waitForExit()
  const { output } = await terminal.currentOutput()
  await terminal.release()
  if (exitCode !== 0) throw new Error(`${output}\nThe command ended with exit code ${exitCode}.`)
  return block(output)
}

async function appears(path: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((done, failed) => {
    let watching: { close(): void }
    const end = (how: () => void) => {
      watching.close()
      how()
    }
    const check = () => existsSync(path) && end(done)
    try {
      watching = watch(dirname(path), check)
    } catch {
      // The limit of watches on this machine is reached, so the path is polled.
      const timer = setInterval(check, 100)
      watching = { close: () => clearInterval(timer) }
    }
    signal.addEventListener('abort', () => end(() => failed(signal.reason)), { once: true })
    // This check comes after the start of the watch, so that no change is missed.
    check()
  })
}
