import picomatch from 'picomatch'
import type { GlobMatch } from './rules.ts'

/** A plan asks thousands of paths about the same few globs; reading a glob costs more than a hundred matches. */
const read = new Map<string, (path: string) => boolean>()
const MOST_READ = 2_000

/**
 * Anchored globs of rules: `*` stays in one folder, `**` does not; case counts. Names with a dot are names like others,
 * or a rule that denies `secrets/**` would let `secrets/.env` pass: that is why it is not Node's own `matchesGlob`.
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
