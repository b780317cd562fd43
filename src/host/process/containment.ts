import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Keeps the processes of an agent together. `wrap`: prefix of the command; `depth`: wrappers above the agent. */
export interface Containment {
  readonly kind: 'unshare' | 'bubblewrap' | 'process-group'
  /** Description in a sentence, for `carrel doctor`. */
  readonly detail: string
  /** Promises that this kind cannot keep; empty when it keeps all. */
  readonly limits: readonly string[]
  readonly wrap: readonly string[]
  readonly depth: number
  /** True when the tree dies by itself with the server. */
  readonly diesWithServer: boolean
}

const run = promisify(execFile)
const PROBE_TIMEOUT_MS = 5_000
const DEATH_SIGNAL = ['setpriv', '--pdeathsig', 'KILL']
const NAMESPACE = ['--pid', '--fork', '--kill-child', '--mount-proc']
const NO_DEATH_SIGNAL = 'After a kill -9 of the server, agents run on until its next start, which ends them.'

/** Finds the best containment by real attempts. `path`: PATH for programs. Never throws: the last kind works. */
export async function probeContainment(path: string): Promise<Containment> {
  const deathSignal = (await works([...DEATH_SIGNAL, 'true'], path)) ? DEATH_SIGNAL : []
  for (const candidate of candidates(deathSignal)) if (await works([...candidate.wrap, 'true'], path)) return candidate
  return processGroup(deathSignal)
}

/** Returns the weakest kind, which needs no tools: a session, a process group, and a sweep by identity. */
export function processGroup(deathSignal: readonly string[] = []): Containment {
  const limits = [
    'Commands that leave their process group are found by a mark in their environment; one that also clears it can survive a cancel.',
  ]
  if (deathSignal.length === 0) limits.push(NO_DEATH_SIGNAL)
  else
    limits.push(
      'After a kill -9 of the server, commands that an agent started run on until the next start, which ends them.',
    )
  return {
    kind: 'process-group',
    detail: 'Agents run in process groups: this machine offers neither PID namespaces (unshare) nor bubblewrap.',
    limits,
    wrap: deathSignal,
    depth: 0,
    diesWithServer: false,
  }
}

function candidates(deathSignal: readonly string[]): Containment[] {
  const dies = deathSignal.length > 0
  const shared = { limits: dies ? [] : [NO_DEATH_SIGNAL], diesWithServer: dies, depth: 2 }
  const unshare = (extra: readonly string[]) => [...deathSignal, 'unshare', ...extra, ...NAMESPACE]
  return [
    {
      kind: 'unshare',
      detail: 'Each agent runs in a PID namespace of its own (unshare).',
      wrap: unshare([]),
      ...shared,
    },
    {
      kind: 'unshare',
      detail: 'Each agent runs in a PID namespace of its own (unshare, in a user namespace).',
      wrap: unshare(['--user', '--map-current-user']),
      ...shared,
    },
    {
      kind: 'bubblewrap',
      detail: 'Each agent runs in a PID namespace of its own (bubblewrap).',
      wrap: 'bwrap --dev-bind / / --unshare-pid --die-with-parent --proc /proc --dev /dev'.split(' '),
      limits: [],
      diesWithServer: true,
      depth: 2,
    },
  ]
}

async function works([program = '', ...args]: readonly string[], path: string): Promise<boolean> {
  try {
    await run(program, args, { env: { PATH: path }, timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' })
    return true
  } catch {
    return false
  }
}
