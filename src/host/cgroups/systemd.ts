import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isPresent } from '../../primitives/absent-as-null.ts'

const run = promisify(execFile)
const ASK_MS = 5_000
const RUNS = '/run/systemd/system'

/** The unit that a cgroup is of, and whether a person's own systemd has it; null for none. */
export function unitOf(path: string): { readonly unit: string; readonly user: boolean } | null {
  const parts = path.split('/')
  const at = parts.findLastIndex((part) => /\.(service|scope)$/.test(part))
  const unit = parts[at]
  if (unit === undefined) return null
  return { unit, user: parts.slice(0, at).some((part) => /^user@\d+\.service$/.test(part)) }
}

/** A unit whose cgroup systemd does not let others write in, though they could; null where it is free to be used. */
export async function keptBySystemd(path: string, search: string): Promise<string | null> {
  const found = unitOf(path)
  if (!found || !isPresent(RUNS)) return null
  const { unit, user } = found
  const words = [...(user ? ['--user'] : []), 'show', '--property=Delegate', '--value', '--', unit]
  // A person's own systemd is reached by its runtime folder.
  const uid = process.getuid?.() ?? 0
  const env = { PATH: search, ...(user ? { XDG_RUNTIME_DIR: `/run/user/${uid}` } : {}) }
  const said = await run('systemctl', words, { env, timeout: ASK_MS }).catch(() => null)
  return said?.stdout.trim() === 'yes' ? null : unit
}
