import { matchesGlob } from 'node:path/posix'
import type { GlobMatch } from '../model/rules.ts'

/** Anchored globs of rules: `*` stays in one folder, `**` does not; case counts. */
export const globMatches: GlobMatch = (path, glob) => matchesGlob(path, glob)
