import type { Output } from '../../src/api/index.ts'
import type { Author } from '../../src/model/files/history.ts'

export type Touched = Output<'history.changes'>['changes'][number]

const stateOf = ({ before, after }: Touched) => after ?? before

/** Returns the changes without created or removed folders that contain other changes: their files imply them. */
export function telling(changes: readonly Touched[]): readonly Touched[] {
  const folders = new Set(changes.flatMap(({ path }) => foldersOf(path)))
  return changes.filter((change) => stateOf(change)?.kind !== 'folder' || !folders.has(change.path))
}

const foldersOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, at, parts) => parts.slice(0, at + 1).join('/'))

export interface AuthorGroup {
  readonly key: string
  readonly author: Author
  readonly changes: readonly Touched[]
}

/** Runs of one session count as one author. */
const keyOf = (author: Author): string =>
  author.kind === 'run' ? author.session : author.kind === 'act' ? author.act : author.kind

export function byAuthor(changes: readonly Touched[]): AuthorGroup[] {
  const groups = new Map<string, Touched[]>()
  for (const change of changes) {
    const key = keyOf(change.author)
    const group = groups.get(key)
    if (group) group.push(change)
    else groups.set(key, [change])
  }
  return [...groups].map(([key, own]) => ({ key, author: own[0]!.author, changes: own }))
}

export interface FolderGroup {
  /** Empty for the root of the working copy. */
  readonly folder: string
  readonly changes: readonly Touched[]
}

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Groups changes by folder, the root first, and sorts each group by name. */
export function byFolder(changes: readonly Touched[]): FolderGroup[] {
  const groups = Map.groupBy(changes, ({ path }) => folderOf(path))
  return [...groups]
    .sort(([a], [b]) => compare(a, b))
    .map(([folder, own]) => ({ folder, changes: own.toSorted((a, b) => compare(a.path, b.path)) }))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export type ChangeKind = 'created' | 'changed' | 'removed'
/** Returns the kind of a change. A path that was created and removed again counts as removed. */
export const changeKindOf = ({ before, after }: Pick<Touched, 'before' | 'after'>): ChangeKind =>
  after === null ? 'removed' : before === null ? 'created' : 'changed'

/** Returns a path for display. A byte that is not valid text shows as a replacement character. */
export const shownPath = (path: string): string => path.toWellFormed()
