import ignore, { type Ignore } from 'ignore'
import type { FileRules } from '../../../model/files/conflicts.ts'
import type { FilePath } from '../../../model/files/history.ts'
import { readSmallFileSync } from '../../small-file.ts'
import type { PlannedIgnores } from '../log/book.ts'
import { diskPath, foldersAbove, nameOf } from '../log/paths.ts'
import { HELD_NAME } from '../log/step.ts'

/** Rules of a Space that exclude paths from a place's history. */
export type Ignorer = ReturnType<typeof openIgnorer>

/** A git folder belongs to git: it is never read as files and never written, whatever the rules say. */
const NEVER = '.git'
export const GITIGNORE = '.gitignore'

/**
 * @param own folder of Carrel that may lie inside the place: the history must not cover its own files
 * @param planned ignore files as they will be
 */
export function openIgnorer(root: string, rules: FileRules, own: string, planned: PlannedIgnores = () => undefined) {
  const lines = matcher(rules.ignore)
  const nested = new Map<FilePath, Ignore | null>()
  const nestedIn = (folder: FilePath) => {
    const known = nested.get(folder)
    if (known !== undefined) return known
    const path = folder === '' ? GITIGNORE : `${folder}/${GITIGNORE}`
    const text = planned(path)
    const read = text === undefined ? readGitignore(root, path) : text === null ? null : matcher(text)
    nested.set(folder, read)
    return read
  }
  const byGitignore = (path: FilePath, asked: string) => {
    const folders = ['', ...foldersAbove(path)]
    for (const folder of folders.reverse()) {
      const verdict = nestedIn(folder)?.test(folder === '' ? asked : asked.slice(folder.length + 1))
      if (verdict?.ignored || verdict?.unignored) return verdict.ignored
    }
    return false
  }
  const leavesOut = (path: FilePath, isFolder: boolean) => {
    if (nameOf(path).startsWith(HELD_NAME)) return true
    if (path === NEVER || path.endsWith(`/${NEVER}`) || `${root}/${path}` === own) return true
    const asked = isFolder ? `${path}/` : path
    const verdict = lines.test(asked)
    if (verdict.ignored || verdict.unignored) return verdict.ignored
    return rules.useGitignore && byGitignore(path, asked)
  }
  return {
    /** Whether this path is excluded, given that the folders above it are not. */
    leavesOut,
    /** Returns the path or the outermost folder above it that is excluded; null when it is covered. */
    outermost(path: FilePath, isFolder: boolean): FilePath | null {
      for (const folder of foldersAbove(path)) if (leavesOut(folder, true)) return folder
      return leavesOut(path, isFolder) ? path : null
    },
  }
}

// Patterns are case-sensitive, like the disk.
const matcher = (lines: readonly string[] | string): Ignore => ignore({ ignorecase: false }).add(lines)

/** Never follows a link, like git. */
function readGitignore(root: string, path: FilePath): Ignore | null {
  try {
    return matcher(readSmallFileSync(diskPath(root, path)))
  } catch {
    return null
  }
}

/** Whether a path is an ignore file, which decides about other paths. */
export const isGitignore = (path: FilePath): boolean => nameOf(path) === GITIGNORE
