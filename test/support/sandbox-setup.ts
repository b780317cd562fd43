import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { AgentLaunch, PlaceView } from '../../src/host/agent/agent.ts'
import { KNOWN_AGENTS, scriptedAgent } from '../../src/host/agent/known-agents.ts'
import { NOTHING_OUTSIDE } from '../../src/host/places/place.ts'
import { accessOf } from '../../src/host/sandbox/access.ts'
import type { SandboxSpec } from '../../src/host/sandbox/enclose.ts'
import { createSandboxes } from '../../src/host/sandbox/probe.ts'
import { connect, type Json, listen, never, steps } from './scripted-setup.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const PATH = process.env.PATH ?? ''

/** Returns the reason why sandboxes cannot be tested on this machine; null where they can. */
export async function noSandbox(): Promise<string | null> {
  const obstacle = await createSandboxes(PATH).obstacle('strict')
  return obstacle?.why ?? null
}

/**
 * Creates a person's machine in small: a home with secrets, a data folder with other places, and working folders. Not
 * in /tmp, because a sandbox has its own.
 */
export function machine() {
  const top = realpathSync(mkdtempSync('/var/tmp/carrel-sandbox-'))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  chmodSync(top, 0o755)
  const at = (...parts: string[]) => join(top, ...parts)
  const file = (path: string, content = 'SECRET') => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), content)
    return at(path)
  }
  for (const path of ['.ssh/id_rsa', '.aws/credentials', '.gnupg/key', '.netrc', '.codex/auth.json'])
    file(`home/${path}`)
  file('home/notes.txt', 'notes')
  file('data/token')
  file('data/places/other/.git/config', '[core]\n')
  file('work/mine/a.txt', 'a')
  file('work/theirs/.git/config', '[core]\n')
  mkdirSync(at('data/keepers'), { recursive: true })
  return { top, at, file, home: at('home'), data: at('data'), mine: at('work/mine') }
}

export type Machine = ReturnType<typeof machine>

/** Starts an agent in a sandbox on that machine and returns the output of its shell. */
export async function agentIn(
  m: Machine,
  asked: Partial<SandboxSpec> = {},
  launch: Partial<AgentLaunch> = {},
  view: PlaceView | null = null,
) {
  const recipe = scriptedAgent()
  const env = { PATH, HOME: m.home, CARREL_SCRIPTED_HOME: m.at('data/scripted-agent') }
  const access = accessOf({ recipe, known: KNOWN_AGENTS, env, home: m.home, dataFolder: m.data, see: [ROOT] })
  const place = { path: m.mine, root: m.mine, outside: NOTHING_OUTSIDE }
  const sandbox: SandboxSpec = { mode: 'guard', hosts: [], ...access, place, ...asked }
  const keepers = m.at('data/keepers')
  const { connection } = await connect({
    env,
    home: m.home,
    launch: { sandbox, keepers, ledger: m.at('data/ledger'), ...launch },
  })
  const heard = listen()
  const cwd = sandbox.place.path
  const one = await connection.open(
    { cwd, roots: [cwd], mcpServers: [], ...(view ? { view } : {}) },
    heard.listener,
    never,
  )
  const run = async (command: string, via = 'agent') => {
    const from = heard.updates.length
    await one.prompt(steps({ run: command, ...(via === 'client' ? { via } : {}) }))
    const last = heard.updates.slice(from).findLast(({ status }) => status === 'completed' || status === 'failed')
    const parts = last?.content ?? []
    const text = JSON.stringify(parts.map((part: Json) => part.content?.text ?? ''))
    return { ok: last?.status === 'completed', text }
  }
  return { connection, one, heard, run }
}
