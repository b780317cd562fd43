import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readlink, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { errorCode } from '../../primitives/error-code.ts'
import type { Git } from './git.ts'
import { onDisk } from './tree-copy.ts'

/** Include list in the folder itself, for every worktree of it. */
const LIST = '.worktreeinclude'
const MAX_FILES = 20_000

/**
 * Copies matching files that git does not have, such as `.env`, without which nothing runs. Existing files stay, and
 * nothing is written through a link. Returns the number of copied files.
 * @throws bad_input when the patterns match too many files
 */
export async function copyIncluded(git: Git, from: string, to: string, patterns: readonly string[]): Promise<number> {
  const listed = (await absentAsNull(lstat(join(from, LIST))))?.isFile() ? [`--exclude-from=${join(from, LIST)}`] : []
  const wanted = [...listed, ...patterns.map((pattern) => `--exclude=${pattern}`)]
  if (wanted.length === 0) return 0
  // Patterns have .gitignore syntax; here they select the files to list.
  const args = ['ls-files', '-z', '--others', '--ignored', ...wanted]
  const names = (await git.read(from, args, { encoding: 'latin1' })).split('\0').filter((name) => name !== '')
  if (names.length > MAX_FILES) {
    const text = `The include list names ${names.length} files, more than the limit of ${MAX_FILES}. Narrow its patterns, or make the project as an overlay.`
    throw new CarrelError('bad_input', text)
  }
  let copied = 0
  for (const name of names) if (await copyOne(from, to, name)) copied += 1
  return copied
}

async function copyOne(from: string, to: string, name: string): Promise<boolean> {
  const parts = name.split('/')
  if (!(await reachFolder(to, parts.slice(0, -1)))) return false
  const source = onDisk(from, name)
  const target = onDisk(to, name)
  const found = await absentAsNull(lstat(source))
  try {
    if (found?.isSymbolicLink()) await symlink(await readlink(source, 'buffer'), target)
    else if (found?.isFile()) {
      await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      await utimes(target, found.atime, found.mtime)
    } else return false
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
  return true
}

/** Makes the folders on the way; false where one of them is a link or a file. */
async function reachFolder(top: string, parts: readonly string[]): Promise<boolean> {
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const folder = onDisk(top, parts.slice(0, depth).join('/'))
    await mkdir(folder).catch((cause) => {
      if (errorCode(cause) !== 'EEXIST') throw cause
    })
    if (!(await lstat(folder)).isDirectory()) return false
  }
  return true
}
