import picomatch from 'picomatch'
import type { GlobMatch } from './rules.ts'

/** Cache of compiled globs. A plan matches thousands of paths; compiling one glob costs over a hundred matches. */
const read = new Map<string, (path: string) => boolean>()
const MOST_READ = 2_000

/**
 * Matches an anchored glob: `*` stays in one folder, `**` does not; case-sensitive. Dotfiles match like other names,
 * else a rule that denies `secrets/**` would let `secrets/.env` pass. Node's `matchesGlob` does not do that.
 */
export const globMatches: GlobMatch = (path, glob) => {
  let matches = read.get(glob)
  if (!matches) {
    if (read.size >= MOST_READ) read.clear()
    matches = picomatch(glob, { dot: true, nonegate: true, noextglob: true })
    read.set(glob, matches)
  }
  return matches(path)
}
