import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AgentConnection, type AgentListener, connectAgent } from '../../src/host/agent/agent.ts'
import { probeContainment } from '../../src/host/process/containment.ts'
import { allowedEnv, machinePath } from '../../src/host/process/environment.ts'
import { codex, missingAgents, qwen, type RealAgent, type ScriptedModel, startModel } from './recipes.ts'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-real-')))
const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
// The machine's own Node: these agents do not support the newer Node that Carrel carries.
const PATH = machinePath(process.env.PATH ?? '/usr/bin:/bin', ROOT)
const containment = await probeContainment(PATH)
const never = new AbortController().signal
const missing = missingAgents()
let model: ScriptedModel
let count = 0
const connections: AgentConnection[] = []

beforeAll(async () => {
  model = await startModel()
})
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.kill()))
})
afterAll(async () => {
  await model.close()
  rmSync(top, { recursive: true, force: true })
})

interface Asked {
  readonly toolCall: { readonly toolCallId: string }
  readonly options: ReadonlyArray<{ optionId: string; kind: string }>
}

function listen() {
  const texts: string[] = []
  const replayed: string[] = []
  const asked: Asked[] = []
  const wrote: string[] = []
  const heard = { first: () => {} }
  const textOf = (update: unknown) => (update as { content?: { text?: string } }).content?.text ?? ''
  const listener: AgentListener = {
    update: (update) => {
      if ((update as { sessionUpdate: string }).sessionUpdate !== 'agent_message_chunk') return
      texts.push(textOf(update))
      heard.first()
    },
    prompted: () => undefined,
    replayed: (update) => replayed.push(textOf(update)),
    permission: async (request) => {
      asked.push(request as Asked)
      const allow = (request as Asked).options.find((option) => option.kind === 'allow_once')
      return allow ? { outcome: 'selected', optionId: allow.optionId } : { outcome: 'cancelled' }
    },
    elicit: async () => ({ action: 'cancel' }),
    read: () => undefined,
    mayWrite: async () => null,
    wrote: (path) => wrote.push(path),
    notice: (text) => {
      throw new Error(text)
    },
  }
  const firstText = new Promise<void>((resolve) => {
    heard.first = resolve
  })
  return { listener, texts, replayed, asked, wrote, firstText }
}

async function connect(agent: RealAgent, home: string) {
  const connection = await connectAgent({
    ...agent,
    env: allowedEnv(
      { PATH, HOME: home, LANG: 'C.UTF-8', TERM: 'dumb', ...agent.secrets },
      Object.keys(agent.secrets),
      agent.env,
    ),
    cwd: home,
    containment,
    ledger: join(top, 'ledger'),
    keepers: join(top, 'keepers'),
    compiled: null,
    graceMs: 0,
    logFolder: null,
    clientName: 'carrel',
    clientVersion: '0',
    initializeTimeoutMs: 60_000,
    signal: never,
    now: Date.now,
  })
  connections.push(connection)
  return connection
}

function folders() {
  count += 1
  const home = join(top, `home-${count}`)
  const cwd = join(top, `place-${count}`)
  mkdirSync(home)
  mkdirSync(cwd)
  return { home, place: { cwd, roots: [cwd], mcpServers: [] } }
}

const script = (...steps: unknown[]) => [{ type: 'text', text: `please @@fake ${JSON.stringify(steps)} @@end` }]

describe.each([
  { name: 'codex', make: codex, mediated: false },
  { name: 'qwen', make: qwen, mediated: true },
])('$name', ({ make, mediated }) => {
  it.skipIf(missing !== null)(`edits a file after a permission (${missing ?? 'installed'})`, async () => {
    const { home, place } = folders()
    const connection = await connect(make(home, model.url), home)
    const { listener, asked, texts, wrote } = listen()
    const session = await connection.open(place, listener, never)
    const path = join(place.cwd, 'made.txt')
    const done = await session.prompt(
      script({ tool: 'write', path, content: 'made by an agent\n' }, { text: 'all done' }),
    )
    expect(done.stopReason).toBe('end_turn')
    expect(asked).toHaveLength(1)
    expect(readFileSync(path, 'utf8')).toContain('made by an agent')
    expect(wrote).toEqual(mediated ? [path] : [])
    expect(texts.join('')).toContain('all done')
  })

  it.skipIf(missing !== null)(
    `P2: a cancel stops it in the middle of its answer, and it takes the next prompt (${missing ?? 'installed'})`,
    async () => {
      const { home, place } = folders()
      const connection = await connect(make(home, model.url), home)
      const { listener, texts, firstText } = listen()
      const session = await connection.open(place, listener, never)
      const turn = session.prompt(script({ text: 'partial words', hang: true }))
      await firstText
      session.cancel()
      expect((await turn).stopReason).toBe('cancelled')
      expect((await session.prompt(script({ text: 'after the cancel' }))).stopReason).toBe('end_turn')
      expect(texts.join('')).toContain('after the cancel')
    },
  )

  it.skipIf(missing !== null)(
    `killed in the middle of its answer, it continues in a new process (${missing ?? 'installed'})`,
    async () => {
      const { home, place } = folders()
      const agent = make(home, model.url)
      const first = await connect(agent, home)
      const before = listen()
      const session = await first.open(place, before.listener, never)
      await session.prompt(script({ text: 'finished turn' }))
      const cut = session.prompt(script({ text: 'cut short', hang: true }))
      const failed = expect(cut).rejects.toMatchObject({ name: 'AgentFailure' })
      await expect.poll(() => before.texts.join('')).toContain('cut')
      await first.kill()
      await failed
      const second = await connect(agent, home)
      const after = listen()
      const again = await second.reopen(session.id, place, after.listener, never)
      expect(after.texts).toEqual([])
      expect((await again.prompt(script({ text: 'going on' }))).stopReason).toBe('end_turn')
      expect(after.texts.join('')).toContain('going on')
      expect(after.texts.join('')).not.toContain('finished turn')
    },
  )
})
