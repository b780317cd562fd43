import type { Cgroup } from '../cgroups/cgroup.ts'
import { type ChildTree, type Exit, spawnTree } from '../process/process.ts'
import type { AgentLaunch, AgentPlace } from './contract.ts'
import { resolveInside } from './reach.ts'
import { INVALID_PARAMS, NOT_FOUND, WireError } from './wire.ts'

interface Terminal {
  readonly command: string
  readonly tree: ChildTree
  readonly limit: number
  chunks: Buffer[]
  bytes: number
  truncated: boolean
  exit: Exit | null
}

const DEFAULT_LIMIT = 1 << 20
const HARD_LIMIT = 8 << 20

/**
 * Serves `terminal/*` of one session. Each command is a process tree, so that its descendants end with it.
 * @param cgroup cgroup of the agent itself
 */
export function openTerminals(launch: AgentLaunch, place: AgentPlace, cgroup: Cgroup | null) {
  const terminals = new Map<string, Terminal>()
  let last = 0
  const named = (params: Record<string, unknown>) => {
    const terminal = terminals.get(String(params.terminalId))
    if (!terminal) throw new WireError(NOT_FOUND, `There is no terminal ${params.terminalId}.`)
    return terminal
  }
  const verbs: Record<string, (params: Record<string, unknown>) => Promise<unknown>> = {
    'terminal/create': async (params) => {
      const id = `terminal-${++last}`
      terminals.set(id, await start(params, launch, place, cgroup))
      return { terminalId: id }
    },
    'terminal/output': async (params) => {
      const terminal = named(params)
      const exitStatus = terminal.exit ? { exitStatus: statusOf(terminal.exit) } : {}
      return { output: textOf(terminal), truncated: terminal.truncated, ...exitStatus }
    },
    'terminal/wait_for_exit': async (params) => statusOf(await named(params).tree.exited),
    'terminal/kill': async (params) => {
      await named(params).tree.kill()
      return {}
    },
    'terminal/release': async (params) => {
      await named(params).tree.kill()
      terminals.delete(String(params.terminalId))
      return {}
    },
  }
  return {
    /** @throws WireError */
    handle: async (method: string, params: unknown): Promise<unknown> => {
      const verb = verbs[method]
      if (!verb) throw new WireError(-32601, `Carrel does not know ${method}.`)
      return await verb((params ?? {}) as Record<string, unknown>)
    },
    /** Returns the commands that run. */
    running: (): string[] => [...terminals.values()].flatMap(({ exit, command: line }) => (exit ? [] : [line])),
    /** Kills all running commands. Their output stays readable until the terminal is released. Safe to repeat. */
    killAll: async (): Promise<void> => {
      await Promise.all([...terminals.values()].map((terminal) => terminal.tree.kill()))
    },
  }
}

async function start(
  params: Record<string, unknown>,
  launch: AgentLaunch,
  place: AgentPlace,
  cgroup: Cgroup | null,
): Promise<Terminal> {
  const { command, args, env, cwd, outputByteLimit } = params
  if (typeof command !== 'string' || command === '') throw new WireError(INVALID_PARAMS, 'The command must be text.')
  const given = Array.isArray(args) ? args.map(String) : []
  const folder = await resolveInside(typeof cwd === 'string' ? cwd : place.cwd, place)
  // Some agents send a whole shell line as the command and no arguments.
  const [program, list] = given.length > 0 ? [command, given] : ['/bin/sh', ['-c', command]]
  let collect: (chunk: Buffer) => void = () => undefined
  const tree = await spawnTree({
    command: program,
    args: list,
    cwd: folder.seen,
    enter: place.view?.enter ?? [],
    env: { ...launch.env, ...variables(env) },
    containment: launch.containment,
    cgroup: cgroup && { is: cgroup, own: false },
    ledger: launch.ledger,
    label: `terminal of ${launch.name}`,
    now: launch.now,
    onStderr: (chunk) => collect(chunk),
  })
  const limit = typeof outputByteLimit === 'number' ? Math.min(Math.max(0, outputByteLimit), HARD_LIMIT) : DEFAULT_LIMIT
  const line = [command, ...given].join(' ')
  const terminal: Terminal = { command: line, tree, limit, chunks: [], bytes: 0, truncated: false, exit: null }
  collect = (chunk) => add(terminal, chunk)
  tree.stdout.on('error', () => undefined)
  tree.stdout.on('data', collect)
  tree.stdin.end()
  void tree.exited.then((exit) => {
    terminal.exit = exit
  })
  return terminal
}

/** Keeps the newest bytes up to the limit. */
function add(terminal: Terminal, chunk: Buffer): void {
  terminal.chunks.push(chunk)
  terminal.bytes += chunk.length
  while (terminal.bytes > terminal.limit) {
    terminal.truncated = true
    const first = terminal.chunks[0] as Buffer
    const excess = terminal.bytes - terminal.limit
    if (first.length <= excess) terminal.chunks.shift()
    else terminal.chunks[0] = first.subarray(excess)
    terminal.bytes -= Math.min(first.length, excess)
  }
}

/** Returns the text from a character boundary on, also when the cut went through a character. */
function textOf(terminal: Terminal): string {
  const all = Buffer.concat(terminal.chunks)
  let from = 0
  if (terminal.truncated) while (from < 4 && from < all.length && ((all[from] as number) & 0xc0) === 0x80) from += 1
  return all.subarray(from).toString('utf8')
}

const statusOf = (exit: Exit): { exitCode: number | null; signal: string | null } => ({
  exitCode: exit.code,
  signal: exit.signal,
})

function variables(env: unknown): Record<string, string> {
  if (!Array.isArray(env)) return {}
  return Object.fromEntries(
    env.map((one: { name?: unknown; value?: unknown }) => [String(one.name), String(one.value)]),
  )
}
