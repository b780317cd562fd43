import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type AgentLaunch, type AgentListener, type AgentPlace, connectAgent } from '../../src/host/agent/agent.ts'
import { scriptedAgent } from '../../src/host/agent/known-agents.ts'
import { probeContainment } from '../../src/host/process/containment.ts'
import { allowedEnv } from '../../src/host/process/environment.ts'
import { onFileFinished } from './file-end.ts'

/** Removed at the end of each file; the next file of this worker creates the folder again. */
export const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-agent-')))
const readyTop = () => {
  mkdirSync(top, { recursive: true })
  onFileFinished(() => rmSync(top, { recursive: true, force: true }))
}
const PATH = process.env.PATH ?? '/usr/bin:/bin'
const containment = await probeContainment(PATH)
export const never: AbortSignal = new AbortController().signal
const recipe = scriptedAgent(join(top, 'compiled'))
let count = 0

// biome-ignore lint/suspicious/noExplicitAny: what agents say has no shape that can be relied on
export type Json = Record<string, any>

interface Setup {
  readonly env?: Record<string, string>
  readonly home?: string
  readonly launch?: Partial<AgentLaunch>
}

export function newPlace(): AgentPlace {
  count += 1
  const cwd = join(top, `place-${count}`)
  readyTop()
  mkdirSync(cwd)
  return { cwd, roots: [cwd], mcpServers: [] }
}

export async function connect({ env = {}, home = top, launch = {} }: Setup = {}) {
  readyTop()
  const frames: Array<{ direction: string; frame: Json }> = []
  const connection = await connectAgent({
    id: 'scripted',
    name: 'Scripted',
    command: recipe.command,
    args: recipe.args,
    env: allowedEnv({ PATH, HOME: home }, [], { ...recipe.env, ...env }),
    cwd: top,
    containment,
    ledger: join(top, 'ledger'),
    keepers: join(top, 'keepers'),
    compiled: null,
    graceMs: 0,
    logFolder: null,
    clientName: 'test',
    clientVersion: '1',
    initializeTimeoutMs: 10_000,
    signal: never,
    now: Date.now,
    onFrame: (direction, line) => frames.push({ direction, frame: parsed(line) }),
    ...launch,
  })
  onTestFinished(() => connection.kill())
  return { connection, frames }
}

function parsed(line: string): Json {
  try {
    return JSON.parse(line)
  } catch {
    return { line }
  }
}

export type Heard = ReturnType<typeof listen>

export function listen(parts: Partial<AgentListener> = {}) {
  const updates: Json[] = []
  const replayed: Json[] = []
  const notices: string[] = []
  const wrote: string[] = []
  const asked: Json[] = []
  let wake = () => {}
  const listener: AgentListener = {
    update: (update) => {
      updates.push(update as Json)
      wake()
    },
    prompted: () => undefined,
    replayed: (update) => replayed.push(update as Json),
    permission: async (request) => {
      asked.push(request as Json)
      wake()
      return { outcome: 'selected', optionId: 'allow-once' }
    },
    elicit: async () => ({ action: 'cancel' }),
    read: () => undefined,
    mayWrite: async () => null,
    wrote: (path) => wrote.push(path),
    notice: (text) => notices.push(text),
    ...parts,
  }
  const until = async (found: () => boolean) => {
    while (!found()) await new Promise<void>((resolve) => (wake = resolve))
  }
  const text = () => updates.map((update) => update.content?.text ?? '').join('')
  return { listener, updates, replayed, notices, wrote, asked, until, text }
}

export async function session(setup: Setup = {}, heard: Heard = listen(), place = newPlace()) {
  const { connection, frames } = await connect(setup)
  return { connection, frames, place, heard, one: await connection.open(place, heard.listener, never) }
}

export const steps = (...list: Json[]) => [{ type: 'text', text: `do this @@do ${JSON.stringify(list)} @@end` }]
export const kinds = (updates: Json[]) => updates.map((update) => update.sessionUpdate)
