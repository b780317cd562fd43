import ignore, { type Ignore } from 'ignore'
import { DEFAULT_FILE_RULES } from '../../src/model/files/file-rules.ts'
import { foldersAbove, isBelow, type Tree } from './tree.ts'

/** The file rules of a Space as the fuzz sets them. */
export interface Rules {
  readonly ignore: readonly string[]
  readonly maxFileBytes: number
}

export const FIRST_RULES: Rules = { ignore: [], maxFileBytes: DEFAULT_FILE_RULES.maxFileBytes }

/** Converts to the rules of the API: the defaults stay. */
export const apiRules = ({ ignore: lines, maxFileBytes }: Rules) => ({
  ignore: [...DEFAULT_FILE_RULES.ignore, ...lines],
  maxFileBytes,
})

type Reason = 'ignored' | 'too_large' | 'special' | 'unreadable'

export interface Coverage {
  readonly covered: ReadonlySet<string>
  /** Outermost uncovered paths with their reasons. */
  readonly gaps: ReadonlyMap<string, Reason>
  /** Files above a limit that was lowered: the history may keep those that it has. */
  readonly either: ReadonlySet<string>
}

const matcher = (lines: readonly string[] | string): Ignore => ignore({ ignorecase: false }).add(lines)

/** Facts that decide besides tree and rules. */
export interface Limits {
  /** Permissions can keep the server from a file. */
  readonly hides: boolean
  /** Texts of files that were covered when a limit was lowered below their size. */
  readonly kept: ReadonlyMap<string, string>
}

export const isLarger = (text: string, { maxFileBytes }: Rules): boolean => Buffer.byteLength(text) > maxFileBytes

/** Returns the paths that the history promises to cover. */
export function coverageOf(tree: Tree, rules: Rules, { hides, kept }: Limits): Coverage {
  const gaps = new Map<string, Reason>()
  const either = new Set<string>()
  const covered = new Set<string>()
  const leavesOut = ignoring(tree, rules)
  for (const path of [...tree.keys()].sort()) {
    const node = tree.get(path)
    const above = foldersAbove(path)
    if (!node || above.some((folder) => gaps.has(folder))) continue
    const isFolder = node.kind === 'folder'
    if (leavesOut(path, isFolder)) gaps.set(path, 'ignored')
    else if (node.kind === 'pipe') gaps.set(path, 'special')
    else if (node.kind === 'file' && isLarger(node.text, rules)) {
      if (kept.get(path) === node.text) either.add(path)
      else gaps.set(path, 'too_large')
    } else if (node.kind === 'file' && hides && (node.mode & 0o400) === 0) gaps.set(path, 'unreadable')
    else covered.add(path)
  }
  return { covered, gaps, either }
}

function ignoring(tree: Tree, rules: Rules): (path: string, isFolder: boolean) => boolean {
  const lines = matcher(apiRules(rules).ignore)
  const nested = new Map<string, Ignore | null>()
  const nestedIn = (folder: string) => {
    const known = nested.get(folder)
    if (known !== undefined) return known
    const node = tree.get(folder === '' ? '.gitignore' : `${folder}/.gitignore`)
    const made = node?.kind === 'file' ? matcher(node.text) : null
    nested.set(folder, made)
    return made
  }
  return (path, isFolder) => {
    const asked = isFolder ? `${path}/` : path
    const verdict = lines.test(asked)
    if (verdict.ignored || verdict.unignored) return verdict.ignored
    for (const folder of ['', ...foldersAbove(path)].reverse()) {
      const one = nestedIn(folder)?.test(folder === '' ? asked : asked.slice(folder.length + 1))
      if (one?.ignored || one?.unignored) return one.ignored
    }
    return false
  }
}

/** Whether a path, or a folder above it, is among these paths. */
export const isNamedBy = (paths: Iterable<string>, path: string): boolean => {
  for (const one of paths) if (one === path || isBelow(path, one)) return true
  return false
}
