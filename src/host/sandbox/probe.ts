import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CarrelError } from '../../model/errors.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { containmentOf } from './walls.ts'

type Mode = 'guard' | 'strict'

/** Null where the machine can do it; else why not and what to do, in sentences. */
export type Obstacle = { readonly why: string; readonly next: string } | null

export interface Sandboxes {
  /** Tries it for real. What works is not tried again; what does not is, since somebody may have helped meanwhile. */
  obstacle(mode: Mode): Promise<Obstacle>
  /** @throws unavailable with what to do (F8) */
  need(mode: Mode): Promise<void>
}

const run = promisify(execFile)
const PROBE_MS = 5_000
const INSTALL =
  'Install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap; Arch: pacman -S bubblewrap).'
const ALLOW =
  'Let users make namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces above 0), or in a container give it the rights for that.'

/** What this machine can keep agents in. `path`: where bubblewrap is looked for. */
export function createSandboxes(path: string, platform: string = process.platform): Sandboxes {
  const good = new Set<Mode>()
  const obstacle: Sandboxes['obstacle'] = async (mode) => {
    if (good.has(mode)) return null
    if (platform !== 'linux')
      return {
        why: `Sandboxes are built on bubblewrap, which there is for Linux only, and this is ${platform}.`,
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
      const text = `This Space asks for the sandbox ${mode}, and this machine cannot make one. ${found.why} ${found.next} Nothing runs without it unless somebody sets the sandbox of the Space to off.`
      throw new CarrelError('unavailable', text, { sandbox: mode, next: found.next })
    },
  }
}

async function attempt(mode: Mode, path: string): Promise<Obstacle> {
  const plan = { walls: [], sealed: '', root: process.getuid?.() === 0, relay: mode === 'strict' ? [] : null }
  const [program = '', ...words] = containmentOf(plan).wrap
  try {
    await run(program, [...words, 'true'], { env: { PATH: path }, timeout: PROBE_MS, killSignal: 'SIGKILL' })
    return null
  } catch (thrown) {
    const { stderr = '', message } = thrown as Error & { stderr?: string }
    if (isAbsent(thrown)) return { why: 'bubblewrap is not there: no program bwrap was found.', next: INSTALL }
    const said = stderr.trim().split('\n')[0] || message
    return { why: `bubblewrap is there and does not work: ${said.replace(/\.?$/, '.')}`, next: ALLOW }
  }
}
