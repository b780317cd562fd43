import picomatch from 'picomatch'
import type { GlobMatch } from '../model/rules.ts'

/**
 * Anchored globs of rules: `*` stays in one folder, `**` does not; case counts. Names with a dot are names like others,
 * or a rule that denies `secrets/**` would let `secrets/.env` pass: that is why it is not Node's own `matchesGlob`.
 */
export const globMatches: GlobMatch = (path, glob) =>
  picomatch.isMatch(path, glob, { dot: true, nonegate: true, noextglob: true })
