import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isPresent } from '../../primitives/absent-as-null.ts'

const run = promisify(execFile)
const ASK_MS = 5_000
const RUNS = '/run/systemd/system'

/** Returns the systemd unit of a cgroup, and whether a user's own systemd owns it; null for none. */
export function unitOf(path: string): { readonly unit: string; readonly user: boolean } | null {
  const parts = path.split('/')
  const at = parts.findLastIndex((part) => /\.(service|scope)$/.test(part))
  const unit = parts[at]
  if (unit === undefined) return null
  return { unit, user: parts.slice(0, at).some((part) => /^user@\d+\.service$/.test(part)) }
}

/** Returns the unit whose cgroup systemd manages alone (no Delegate); null where the cgroup is free to use. */
export async function keptBySystemd(path: string, search: string): Promise<string | null> {
  const found = unitOf(path)
  if (!found || !isPresent(RUNS)) return null
  const { unit, user } = found
  const args = [...(user ? ['--user'] : []), 'show', '--property=Delegate', '--value', '--', unit]
  // A user's own systemd is reached through its runtime folder.
  const uid = process.getuid?.() ?? 0
  const env = { PATH: search, ...(user ? { XDG_RUNTIME_DIR: `/run/user/${uid}` } : {}) }
  const answer = await run('systemctl', args, { env, timeout: ASK_MS }).catch(() => null)
  return answer?.stdout.trim() === 'yes' ? null : unit
}
