import { lstatSync, opendirSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { onDisk } from './tree-copy.ts'

/** Folders of a view. `root` is the view itself, which shows the folders that hide those below. */
export interface Layers {
  readonly lower: string
  readonly upper: string
  readonly root: string
}

export interface UpperChange {
  /** Relative to the view. */
  readonly path: string
  /** `removed`: the path and everything in it is gone. */
  readonly what: 'written' | 'removed'
}

/** Entries that are read before other work has a turn. */
const BATCH = 400

/**
 * Returns exactly the changes of a view, ordered by path: no files that were opened but not written, no folders that
 * only contain a change. Cost depends on the changes, not on the size of the view.
 */
export async function changedIn(layers: Layers): Promise<UpperChange[]> {
  const changes: UpperChange[] = []
  const folders = ['']
  for (let folder = folders.pop(), read = 0; folder !== undefined; folder = folders.pop()) {
    const names = readdirSync(onDisk(layers.upper, folder), 'latin1')
    const below = folder === '' ? '' : `${folder}/`
    for (const name of names) {
      const path = `${below}${name}`
      const { change, enter } = changeAt(layers, path)
      if (change) changes.push({ path: textOf(path), what: change })
      if (enter) folders.push(path)
      read += 1
      if (read % BATCH === 0) await setImmediate()
    }
    changes.push(...hiddenIn(layers, folder, new Set(names)))
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function changeAt({ lower, upper }: Layers, path: string): { change: UpperChange['what'] | null; enter: boolean } {
  const now = statOf(upper, path)
  if (now === null) return { change: null, enter: false }
  // overlayfs marks a removed path by a character device 0/0.
  if (now.isCharacterDevice() && now.rdev === 0) return { change: 'removed', enter: false }
  const before = statOf(lower, path)
  const same = before !== null && unchanged(before, now) && sameBytes({ lower, upper }, path, now)
  return { change: same ? null : 'written', enter: now.isDirectory() }
}

/** Compares stats. Times of a folder prove nothing: they change with its content. */
function unchanged(before: Stats, now: Stats): boolean {
  if (before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid) return false
  return now.isDirectory() || (before.size === now.size && before.mtimeMs === now.mtimeMs)
}

/** Compares content: rarely, a file was opened and not changed, or its old time was restored. */
function sameBytes({ lower, upper }: Omit<Layers, 'root'>, path: string, now: Stats): boolean {
  const [before, after] = [onDisk(lower, path), onDisk(upper, path)]
  if (now.isSymbolicLink()) return readlinkSync(before, 'buffer').equals(readlinkSync(after, 'buffer'))
  return !now.isFile() || readFileSync(before).equals(readFileSync(after))
}

/**
 * Returns the paths that a recreated folder hides. Node cannot read its mark, an extended attribute. But such a folder
 * shows nothing of the one below it, while any other shows every name that the upper folder lacks.
 */
function hiddenIn({ lower, root }: Layers, folder: string, upperNames: ReadonlySet<string>): UpperChange[] {
  if (folder === '' || !statOf(lower, folder)?.isDirectory()) return []
  const first = firstOnlyBelow(onDisk(lower, folder), upperNames)
  if (first === null || statOf(root, `${folder}/${first}`) !== null) return []
  const names = readdirSync(onDisk(lower, folder), 'latin1').filter((name) => !upperNames.has(name))
  return names.map((name) => ({ path: textOf(`${folder}/${name}`), what: 'removed' }))
}

function firstOnlyBelow(folder: Buffer, upperNames: ReadonlySet<string>): string | null {
  // Types require a string for the path; names here are bytes.
  const open = opendirSync(folder as unknown as string, { encoding: 'latin1' as BufferEncoding })
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) if (!upperNames.has(entry.name)) return entry.name
    return null
  } finally {
    open.closeSync()
  }
}

const statOf = (top: string, path: string): Stats | null => absentAsNullSync(() => lstatSync(onDisk(top, path)))

const textOf = (path: string) => Buffer.from(path, 'latin1').toString('utf8')
