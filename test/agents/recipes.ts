import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A recipe for a real agent against the scripted model, in a home of its own. */
export interface RealAgent {
  readonly id: string
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Variables of the server's environment; the agent gets them by name. */
  readonly secrets: Readonly<Record<string, string>>
  /** Paths that the agent may write and reach in a sandbox. */
  readonly ownPaths: readonly string[]
  readonly hosts: readonly string[]
}

/** One request that the model received. */
interface ModelRequest {
  /** The conversation as the agent sent it, `user: ...`, `model: ...`, `tool: ...`, oldest first. */
  readonly conversation: readonly string[]
  readonly reply: unknown
}

export interface ScriptedModel {
  readonly url: string
  /** Returns all requests so far, oldest first. */
  requests(): Promise<ModelRequest[]>
  /** Sets the answers to prompts without a script of their own; `match` is the source of a RegExp. */
  rules(rules: readonly { match: string; steps: readonly unknown[] }[]): Promise<void>
  /** Releases every `gate` step. */
  release(): Promise<void>
  close(): Promise<void>
}

const here = fileURLToPath(new URL('.', import.meta.url))
const modules = join(here, 'node_modules')

/** Returns the reason why the suite cannot run, or null. `npm run test:agents` installs its agents. */
export function missingAgents(): string | null {
  const missing = [codexProgram(), join(modules, '.bin', 'qwen')].filter((path) => !existsSync(path))
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}; run \`npm run test:agents\``
}

/** Starts the model on a free loopback port. The prompt holds its answer: `@@fake [ ...steps ] @@end`. */
export async function startModel(): Promise<ScriptedModel> {
  const child = spawn(process.execPath, [join(here, 'model-server.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.once('exit', (code) => reject(new Error(`The scripted model ended with exit code ${code}.`)))
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const { url } = JSON.parse(line) as { url: string }
  return {
    url,
    requests: async () => (await (await fetch(`${url}/__log`)).json()) as ModelRequest[],
    rules: async (rules) => void (await fetch(`${url}/__rules`, { method: 'POST', body: JSON.stringify(rules) })),
    release: async () => void (await fetch(`${url}/__release`, { method: 'POST' })),
    close: async () => {
      child.kill()
      await ended
    },
  }
}

/** Recipe for Codex, one native binary. Every edit asks. */
export function codex(home: string, url: string): RealAgent {
  const folder = join(home, '.codex')
  mkdirSync(folder, { recursive: true })
  const config = `
model = "gpt-5.3-codex"
model_provider = "fake"
approval_policy = "on-request"
sandbox_mode = "read-only"
check_for_update_on_startup = false
[model_providers.fake]
name = "Fake"
base_url = "${url}/v1"
wire_api = "responses"
env_key = "FAKE_KEY"
supports_websockets = false
request_max_retries = 0
stream_max_retries = 0
[analytics]
enabled = false
`
  writeFileSync(join(folder, 'config.toml'), config)
  const env = { CODEX_HOME: folder, NO_BROWSER: '1' }
  const secrets = { FAKE_KEY: 'dummy' }
  const kept = { ownPaths: ['$CODEX_HOME/'], hosts: [new URL(url).host] }
  return { id: 'codex', name: 'Codex', command: codexProgram(), args: [], env, secrets, ...kept }
}

/**
 * Recipe for Qwen Code, which reads and writes files through the client and updates tool calls before it creates
 * them.
 */
export function qwen(home: string, url: string): RealAgent {
  mkdirSync(join(home, '.qwen'), { recursive: true })
  const settings = {
    security: { auth: { selectedType: 'openai' } },
    general: { disableAutoUpdate: true },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
  }
  writeFileSync(join(home, '.qwen', 'settings.json'), JSON.stringify(settings))
  const env = { OPENAI_BASE_URL: `${url}/v1`, OPENAI_MODEL: 'fake-model' }
  const secrets = { OPENAI_API_KEY: 'dummy' }
  const kept = { ownPaths: ['.qwen/'], hosts: [new URL(url).host] }
  const command = join(modules, '.bin', 'qwen')
  return { id: 'qwen', name: 'Qwen Code', command, args: ['--acp'], env, secrets, ...kept }
}

/** Returns the native binary, without the Node wrapper in front of it. */
function codexProgram(): string {
  return join(modules, '@zed-industries', `codex-acp-${process.platform}-${process.arch}`, 'bin', 'codex-acp')
}
