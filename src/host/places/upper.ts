import { lstatSync, opendirSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'

/** Where a view's changes are read. `root` is the view itself: it tells which folders hide what was below them. */
export interface Layers {
  readonly lower: string
  readonly upper: string
  readonly root: string
}

export interface UpperChange {
  /** Relative to the view. */
  readonly path: string
  /** `removed`: it, and all that was in it, is not there any more. */
  readonly what: 'written' | 'removed'
}

/** So many entries are read before others have their turn. */
const AT_ONCE = 400

/**
 * What was changed in a view, in order of paths: exactly what the upper folder says, without files that were only
 * opened for writing and folders that only hold something changed. Costs what changed, whatever the size of the view.
 */
export async function changedIn(layers: Layers): Promise<UpperChange[]> {
  const changes: UpperChange[] = []
  const folders = ['']
  for (let folder = folders.pop(), read = 0; folder !== undefined; folder = folders.pop()) {
    const names = readdirSync(onDisk(layers.upper, folder), 'latin1')
    const below = folder === '' ? '' : `${folder}/`
    for (const name of names) {
      const path = `${below}${name}`
      const { change, enter } = lookAt(layers, path)
      if (change) changes.push({ path: textOf(path), what: change })
      if (enter) folders.push(path)
      read += 1
      if (read % AT_ONCE === 0) await setImmediate()
    }
    changes.push(...hiddenIn(layers, folder, new Set(names)))
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function lookAt({ lower, upper }: Layers, path: string): { change: UpperChange['what'] | null; enter: boolean } {
  const now = statOf(upper, path)
  if (now === null) return { change: null, enter: false }
  // overlayfs writes a device without a number where something was removed.
  if (now.isCharacterDevice() && now.rdev === 0) return { change: 'removed', enter: false }
  const before = statOf(lower, path)
  const same = before !== null && unchanged(before, now) && sameBytes({ lower, upper }, path, now)
  return { change: same ? null : 'written', enter: now.isDirectory() }
}

/** Of a folder the times say nothing: they change with what is in it. */
function unchanged(before: Stats, now: Stats): boolean {
  if (before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid) return false
  return now.isDirectory() || (before.size === now.size && before.mtimeMs === now.mtimeMs)
}

/** Rare: a file that was opened for writing and left alone, or written with its old time put back. */
function sameBytes({ lower, upper }: Omit<Layers, 'root'>, path: string, now: Stats): boolean {
  const [before, after] = [onDisk(lower, path), onDisk(upper, path)]
  if (now.isSymbolicLink()) return readlinkSync(before, 'buffer').equals(readlinkSync(after, 'buffer'))
  return !now.isFile() || readFileSync(before).equals(readFileSync(after))
}

/**
 * What a folder hides that was removed and made anew. Its mark is an attribute that Node cannot read; but such a folder
 * shows nothing of the one below it, and every other one shows all that has no counterpart in the upper folder.
 */
function hiddenIn({ lower, root }: Layers, folder: string, upperNames: ReadonlySet<string>): UpperChange[] {
  if (folder === '' || !statOf(lower, folder)?.isDirectory()) return []
  const first = firstOnlyBelow(onDisk(lower, folder), upperNames)
  if (first === null || statOf(root, `${folder}/${first}`) !== null) return []
  const names = readdirSync(onDisk(lower, folder), 'latin1').filter((name) => !upperNames.has(name))
  return names.map((name) => ({ path: textOf(`${folder}/${name}`), what: 'removed' }))
}

function firstOnlyBelow(folder: Buffer, upperNames: ReadonlySet<string>): string | null {
  // Types say a path is text; names here are bytes.
  const open = opendirSync(folder as unknown as string, { encoding: 'latin1' as BufferEncoding })
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) if (!upperNames.has(entry.name)) return entry.name
    return null
  } finally {
    open.closeSync()
  }
}

function statOf(top: string, path: string): Stats | null {
  return absentAsNullSync(() => lstatSync(onDisk(top, path)))
}

function onDisk(top: string, path: string): Buffer {
  return path === '' ? Buffer.from(top) : Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, 'latin1')])
}

const textOf = (path: string) => Buffer.from(path, 'latin1').toString('utf8')
