import ignore, { type Ignore } from 'ignore'
import type { FileRules } from '../../model/conflicts.ts'
import type { FilePath } from '../../model/history.ts'
import { readSmallFileSync } from '../small-file.ts'
import { diskPath, foldersAbove, nameOf } from './paths.ts'
import { HELD_NAME } from './step.ts'

/** What the rules of a Space leave out of a place's history. */
export interface Ignorer {
  /** Whether this one is left out, the folders above it being in. */
  leavesOut(path: FilePath, isFolder: boolean): boolean
  /** The path or the outermost folder above it that is left out; null when it is covered. */
  outermost(path: FilePath): FilePath | null
}

/** The repository of a folder is git's own business: never read as files, never written, whatever the rules say. */
const NEVER = '.git'
export const GITIGNORE = '.gitignore'

/**
 * @param own a folder of Carrel's that may lie inside the place: what the history writes is no part of it
 */
export function openIgnorer(root: string, rules: FileRules, own: string): Ignorer {
  const lines = matcher(rules.ignore)
  const nested = new Map<FilePath, Ignore | null>()
  const nestedIn = (folder: FilePath) => {
    const known = nested.get(folder)
    if (known !== undefined) return known
    const read = readGitignore(root, folder)
    nested.set(folder, read)
    return read
  }
  const byGitignore = (path: FilePath, asked: string) => {
    const folders = ['', ...foldersAbove(path)]
    for (const folder of folders.reverse()) {
      const said = nestedIn(folder)?.test(folder === '' ? asked : asked.slice(folder.length + 1))
      if (said?.ignored || said?.unignored) return said.ignored
    }
    return false
  }
  const leavesOut = (path: FilePath, isFolder: boolean) => {
    if (nameOf(path).startsWith(HELD_NAME)) return true
    if (path === NEVER || path.endsWith(`/${NEVER}`) || `${root}/${path}` === own) return true
    const asked = isFolder ? `${path}/` : path
    const said = lines.test(asked)
    if (said.ignored || said.unignored) return said.ignored
    return rules.useGitignore && byGitignore(path, asked)
  }
  return {
    leavesOut,
    outermost(path) {
      for (const folder of foldersAbove(path)) if (leavesOut(folder, true)) return folder
      return leavesOut(path, false) ? path : null
    },
  }
}

// Case counts, as it does on the disk.
const matcher = (lines: readonly string[] | string): Ignore => ignore({ ignorecase: false }).add(lines)

/** Not through a link, as in git. */
function readGitignore(root: string, folder: FilePath): Ignore | null {
  try {
    return matcher(readSmallFileSync(diskPath(root, folder === '' ? GITIGNORE : `${folder}/${GITIGNORE}`)))
  } catch {
    return null
  }
}

/** Whether a path is an ignore file: what it says decides on others. */
export const isGitignore = (path: FilePath): boolean => nameOf(path) === GITIGNORE
