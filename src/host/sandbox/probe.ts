import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CarrelError } from '../../model/errors.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import type { Obstacle } from '../obstacle.ts'
import { containmentOf } from './walls.ts'

type Mode = 'guard' | 'strict'

export interface Sandboxes {
  /** Tests the sandbox by a real attempt. Success is cached; failure is not, because the machine may change. */
  obstacle(mode: Mode): Promise<Obstacle>
  /** @throws unavailable with the next step (F8) */
  need(mode: Mode): Promise<void>
}

const run = promisify(execFile)
const PROBE_MS = 5_000
const INSTALL =
  'Install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap; Arch: pacman -S bubblewrap).'
const ALLOW =
  'Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces above 0), or give a container the rights for that.'

/** Opens the sandboxes of this machine. `path` is the PATH for bubblewrap. */
export function createSandboxes(path: string, platform: string = process.platform): Sandboxes {
  const good = new Set<Mode>()
  const obstacle: Sandboxes['obstacle'] = async (mode) => {
    if (good.has(mode)) return null
    if (platform !== 'linux')
      return {
        why: `Sandboxes need bubblewrap, which exists for Linux only; this machine runs ${platform}.`,
        next: 'Run Carrel on Linux, or in a virtual machine with Linux.',
      }
    const found = await attempt(mode, path)
    if (found === null) good.add(mode)
    return found
  }
  return {
    obstacle,
    async need(mode) {
      const found = await obstacle(mode)
      if (found === null) return
      const text = `This Space requires the sandbox ${mode}, and this machine cannot make one. ${found.why} ${found.next} To run without it, set the sandbox of the Space to off.`
      throw new CarrelError('unavailable', text, { sandbox: mode, next: found.next })
    },
  }
}

async function attempt(mode: Mode, path: string): Promise<Obstacle> {
  const plan = { walls: [], sealed: '', root: process.getuid?.() === 0, relay: mode === 'strict' ? [] : null }
  const [program = '', ...args] = containmentOf(plan).wrap
  try {
    await run(program, [...args, 'true'], { env: { PATH: path }, timeout: PROBE_MS, killSignal: 'SIGKILL' })
    return null
  } catch (thrown) {
    const { stderr = '', message } = thrown as Error & { stderr?: string }
    if (isAbsent(thrown)) return { why: 'bubblewrap is not installed: the program bwrap was not found.', next: INSTALL }
    const reason = stderr.trim().split('\n')[0] || message
    return { why: `bubblewrap is installed and fails: ${reason.replace(/\.?$/, '.')}`, next: ALLOW }
  }
}
