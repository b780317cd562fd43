import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AgentRecipe, type AgentStatus } from '../../model/agent.ts'
import { CarrelError } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'

const run = promisify(execFile)
const VERSION_TIMEOUT_MS = 5_000

/**
 * Recipe of the agent that ships with Carrel. Its program is the running Node, so it is always installed. Node keeps
 * compiled code in `cacheFolder`, which starts the agent in about 60 % of the time with 20 MiB less. No other user may
 * have write access to that folder.
 */
export function scriptedAgent(cacheFolder?: string): AgentRecipe {
  return AgentRecipe.parse({
    id: 'scripted',
    name: 'Scripted agent',
    command: process.execPath,
    args: [fileURLToPath(programFile('scripted-agent', new URL('../../../scripted-agent/main.ts', import.meta.url)))],
    // Node may otherwise print a warning about type stripping at each start.
    env: { NODE_NO_WARNINGS: '1', ...(cacheFolder ? { NODE_COMPILE_CACHE: cacheFolder } : {}) },
    passEnv: ['CARREL_SCRIPTED_HOME', 'SCRIPTED_QUIRKS', 'SCRIPTED_NO_LOAD', 'SCRIPTED_NAME'],
    ownPaths: ['$CARREL_SCRIPTED_HOME/'],
    // The agent ends the commands of a cancelled run itself, so many runs may share one process.
    runsPerProcess: 1000,
    docs: 'Ships with Carrel and needs no model: for a first look, and for tests.',
  })
}

/**
 * Agents that are known to speak ACP v1. `passEnv` names variables with the person's own key or endpoint; no other
 * variable of the server reaches the agent. `runsPerProcess` stays 1 where a cancelled run may leave its command
 * running. `home: own` is for agents whose processes race on a shared home.
 */
export const KNOWN_AGENTS: readonly AgentRecipe[] = [
  {
    id: 'claude-code',
    name: 'Claude Code',
    command: 'claude-agent-acp',
    env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
    passEnv: [
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_AUTH_TOKEN',
      'ANTHROPIC_BASE_URL',
      'CLAUDE_CONFIG_DIR',
      'CLAUDE_CODE_OAUTH_TOKEN',
    ],
    steer: 'prompt',
    loginFiles: ['.claude/.credentials.json'],
    ownPaths: ['.claude/', '.claude.json', '$CLAUDE_CONFIG_DIR/'],
    hosts: ['api.anthropic.com', 'claude.ai', 'platform.claude.com', 'console.anthropic.com'],
    install: 'npm install -g @agentclientprotocol/claude-agent-acp',
    login: 'run `claude` once in a terminal and log in, or set ANTHROPIC_API_KEY for the server.',
    docs: 'https://github.com/agentclientprotocol/claude-agent-acp',
  },
  {
    id: 'codex',
    name: 'Codex',
    command: 'codex-acp',
    env: { NO_BROWSER: '1' },
    passEnv: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'CODEX_HOME', 'MODEL_PROVIDER', 'INITIAL_AGENT_MODE'],
    loginFiles: ['.codex/auth.json'],
    ownPaths: ['.codex/', '$CODEX_HOME/'],
    hosts: ['api.openai.com', 'auth.openai.com', 'chatgpt.com'],
    install: 'npm install -g @agentclientprotocol/codex-acp (or the older @zed-industries/codex-acp)',
    login: 'run `codex login` in a terminal, or set OPENAI_API_KEY for the server.',
    docs: 'https://github.com/agentclientprotocol/codex-acp',
  },
  {
    id: 'gemini',
    name: 'Gemini CLI',
    command: 'gemini',
    args: ['--acp'],
    passEnv: [
      'GEMINI_API_KEY',
      'GOOGLE_API_KEY',
      'GOOGLE_GEMINI_BASE_URL',
      'GOOGLE_CLOUD_PROJECT',
      'GOOGLE_CLOUD_LOCATION',
      'GOOGLE_GENAI_USE_VERTEXAI',
      'GOOGLE_APPLICATION_CREDENTIALS',
    ],
    loginFiles: ['.gemini/oauth_creds.json'],
    ownPaths: ['.gemini/'],
    hosts: [
      'generativelanguage.googleapis.com',
      'cloudcode-pa.googleapis.com',
      'aiplatform.googleapis.com',
      '*.aiplatform.googleapis.com',
      'oauth2.googleapis.com',
      'accounts.google.com',
    ],
    install: 'npm install -g @google/gemini-cli',
    login: 'run `gemini` once in a terminal and log in, or set GEMINI_API_KEY for the server.',
    docs: 'https://github.com/google-gemini/gemini-cli',
  },
  {
    id: 'qwen',
    name: 'Qwen Code',
    command: 'qwen',
    args: ['--acp'],
    passEnv: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL', 'DASHSCOPE_API_KEY'],
    loginFiles: ['.qwen/oauth_creds.json'],
    ownPaths: ['.qwen/'],
    hosts: ['chat.qwen.ai', 'portal.qwen.ai', 'dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com'],
    install: 'npm install -g @qwen-code/qwen-code',
    login:
      'run `qwen` once in a terminal and log in, or set OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL for the server.',
    docs: 'https://github.com/QwenLM/qwen-code',
  },
  {
    id: 'opencode',
    name: 'OpenCode',
    command: 'opencode',
    args: ['acp'],
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1' },
    passEnv: [
      'ANTHROPIC_API_KEY',
      'OPENAI_API_KEY',
      'OPENROUTER_API_KEY',
      'OPENCODE_CONFIG',
      'OPENCODE_CONFIG_CONTENT',
    ],
    steer: 'prompt',
    loginFiles: ['.local/share/opencode/auth.json'],
    ownPaths: ['.config/opencode/', '.local/share/opencode/', '.local/state/opencode/', '.cache/opencode/'],
    hosts: ['opencode.ai', 'models.dev', 'api.anthropic.com', 'api.openai.com', 'openrouter.ai'],
    install: 'npm install -g opencode-ai',
    login: 'run `opencode auth login` in a terminal.',
    docs: 'https://opencode.ai/docs',
  },
  {
    id: 'kimi',
    name: 'Kimi Code',
    command: 'kimi',
    args: ['acp'],
    passEnv: ['KIMI_API_KEY', 'MOONSHOT_API_KEY', 'KIMI_BASE_URL'],
    ownPaths: ['.kimi-code/', '.kimi/'],
    hosts: ['api.kimi.com', 'auth.kimi.com', 'api.moonshot.ai', 'api.moonshot.cn'],
    install: 'npm install -g @moonshot-ai/kimi-code',
    login: 'run `kimi login` in a terminal.',
    docs: 'https://github.com/MoonshotAI/kimi-code',
  },
  {
    id: 'copilot',
    name: 'GitHub Copilot CLI',
    command: 'copilot',
    args: ['--acp'],
    env: { COPILOT_AUTO_UPDATE: 'false' },
    passEnv: [
      'GH_TOKEN',
      'GITHUB_TOKEN',
      'COPILOT_GITHUB_TOKEN',
      'COPILOT_OFFLINE',
      'COPILOT_MODEL',
      'COPILOT_PROVIDER_BASE_URL',
      'COPILOT_PROVIDER_API_KEY',
    ],
    install: 'npm install -g @github/copilot',
    ownPaths: ['.copilot/', '.config/github-copilot/'],
    hosts: ['api.github.com', 'github.com', '*.githubcopilot.com'],
    login: 'run `copilot login` in a terminal.',
    docs: 'https://docs.github.com/copilot/how-tos/copilot-cli',
  },
  {
    id: 'cline',
    name: 'Cline',
    command: 'cline',
    args: ['--acp'],
    passEnv: ['CLINE_API_KEY', 'CLINE_PROVIDER', 'CLINE_MODEL'],
    steer: 'prompt',
    ownPaths: ['.cline/'],
    hosts: ['api.cline.bot', 'api.anthropic.com', 'api.openai.com', 'openrouter.ai'],
    install: 'npm install -g cline',
    login: 'run `cline auth` in a terminal.',
    docs: 'https://docs.cline.bot',
  },
  {
    id: 'pi',
    name: 'pi',
    command: 'pi-acp',
    env: { PI_SKIP_VERSION_CHECK: '1' },
    passEnv: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY', 'PI_OFFLINE'],
    steer: 'prompt',
    loginFiles: ['.pi/agent/auth.json'],
    ownPaths: ['.pi/'],
    hosts: ['api.anthropic.com', 'api.openai.com', 'generativelanguage.googleapis.com', 'openrouter.ai'],
    install: 'npm install -g pi-acp @earendil-works/pi-coding-agent',
    login: 'run `pi` in a terminal and use /login. It asks for no permission: it runs everything.',
    docs: 'https://github.com/svkozak/pi-acp',
  },
  {
    id: 'goose',
    name: 'Goose',
    command: 'goose',
    args: ['acp'],
    passEnv: ['GOOSE_PROVIDER', 'GOOSE_MODEL', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GOOGLE_API_KEY'],
    ownPaths: ['.config/goose/', '.local/share/goose/', '.local/state/goose/'],
    hosts: ['api.anthropic.com', 'api.openai.com', 'generativelanguage.googleapis.com'],
    install: 'see the documentation: it comes as a program of its own',
    login: 'run `goose configure` in a terminal.',
    docs: 'https://block.github.io/goose',
  },
].map((recipe) => AgentRecipe.parse(recipe))

/** Entry under `agents` in the configuration: fields of a known agent by its id, or a new agent. */
export type CustomAgent = { readonly id: string } & { readonly [field: string]: unknown }

/**
 * Returns the agents of this server: the scripted one, the known ones, then custom ones in the given order. For
 * `cacheFolder` see `scriptedAgent`.
 * @throws bad_input when a custom agent lacks a field or changes the scripted one
 */
export function allAgents(custom: readonly CustomAgent[], cacheFolder?: string): AgentRecipe[] {
  const recipes = new Map([scriptedAgent(cacheFolder), ...KNOWN_AGENTS].map((recipe) => [recipe.id as string, recipe]))
  for (const one of custom) {
    if (one.id === 'scripted')
      throw new CarrelError(
        'bad_input',
        'The agent `scripted` ships with Carrel and cannot be changed. Give yours another id.',
      )
    const parsed = AgentRecipe.safeParse({ ...recipes.get(one.id), ...one })
    if (!parsed.success) {
      const what = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
      throw new CarrelError('bad_input', `The agent ${one.id} in the configuration is not complete: ${what}.`)
    }
    recipes.set(one.id, parsed.data)
  }
  return [...recipes.values()]
}

/** Detects installed agents: asks each changed program file for `--version`, in parallel, at most five seconds. */
export async function detectAgents(
  recipes: readonly AgentRecipe[],
  machine: { path: string; home: string },
): Promise<AgentStatus[]> {
  const known = new Set(KNOWN_AGENTS.map((recipe) => recipe.id as string))
  return await Promise.all(
    recipes.map(async (recipe) => {
      const program = findProgram(recipe.command, machine.path)
      const scripted = recipe.id === 'scripted'
      return {
        id: recipe.id,
        name: recipe.name,
        installed: program !== null,
        program,
        version: program === null || scripted ? null : await versionOf(program, machine),
        install: recipe.install,
        login: recipe.login,
        docs: recipe.docs,
        origin: scripted ? ('scripted' as const) : known.has(recipe.id) ? ('known' as const) : ('custom' as const),
        steer: recipe.steer,
      }
    }),
  )
}

/** Returns the program file that a shell would run, without starting a shell; null for none. */
export function findProgram(command: string, path: string): string | null {
  const candidates = isAbsolute(command)
    ? [command]
    : path
        .split(delimiter)
        .filter(isAbsolute)
        .map((folder) => join(folder, command))
  return candidates.find(isProgram) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const versions = new Map<string, Promise<string | null>>()

function versionOf(program: string, { path, home }: { path: string; home: string }): Promise<string | null> {
  const real = realpathSync(program)
  const key = `${real}:${statSync(real).mtimeMs}`
  let version = versions.get(key)
  if (!version) {
    version = askVersion(program, { PATH: path, HOME: home, NO_COLOR: '1', LANG: 'C.UTF-8' }, () =>
      versions.delete(key),
    )
    versions.set(key, version)
  }
  return version
}

/** `late` is called when no answer came in time: a less busy machine may answer. */
async function askVersion(program: string, env: Record<string, string>, late: () => void): Promise<string | null> {
  try {
    const options = { env, timeout: VERSION_TIMEOUT_MS, killSignal: 'SIGKILL' as const, maxBuffer: 64 << 10 }
    const asked = run(program, ['--version'], options)
    // An ACP adapter that ignores the option would wait for messages.
    asked.child.stdin?.end()
    const { stdout } = await asked
    return /\d+\.\d+\.\d+([-+.]\w+)*/.exec(stdout)?.[0] ?? null
  } catch (thrown) {
    if ((thrown as { killed?: boolean }).killed) late()
    return null
  }
}
