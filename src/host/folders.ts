import { constants } from 'node:fs'
import { access, lstat, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { CarrelError } from '../model/errors.ts'
import { absentAsNull, isAbsent } from '../primitives/absent-as-null.ts'
import { messageOf } from '../primitives/message-of.ts'
import { identityAt, type RootIdentity } from './root-folder.ts'
import { readSmallFile } from './small-file.ts'

export interface FolderRules {
  /** Home folder of the person. */
  readonly home: string
  /** Carrel's data folder. */
  readonly dataFolder: string
  /** Folders of other Spaces. */
  readonly others: readonly string[]
}

/** Folders with keys and passwords: no agent may run in, above or below them by mistake. */
const SECRET = new Set([
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '.docker',
  '.password-store',
  '.pki',
  '.gcloud',
  '.1password',
  '.mozilla',
  '.netrc',
  '.local',
  '.config',
  '.cache',
  'Keychains',
  '.Trash',
])
const SYSTEM = new Set([
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib64',
  '/proc',
  '/run',
  '/sbin',
  '/sys',
  '/usr',
  '/var',
])

/**
 * Checks whether a Space may use a folder; the only rule, for every way in. `real` is the folder with all links
 * resolved. `key` is the same for every spelling of one folder (case-folded where the disk folds case): compare keys,
 * show `real`.
 * @throws bad_input with a sentence that says what to choose instead
 */
export async function checkFolder(path: string, rules: FolderRules): Promise<{ real: string; key: string }> {
  if (path.includes('\0')) throw refuse('That is not a path. Give the full path of a folder.')
  if (!isAbsolute(path))
    throw refuse(`${path} is not a full path. Give the path from the root, such as ${join(rules.home, 'work')}.`)
  const real = await existing(path)
  const folds = await foldsCase(real)
  const key = keyOf(real, folds)
  const home = keyOf(await realOrGiven(rules.home), folds)
  const data = keyOf(await realOrGiven(rules.dataFolder), folds)
  if (dirname(real) === real) throw refuse('The root of the disk cannot be a Space. Choose a folder inside it.')
  if (key === home) throw refuse('Your home folder as a whole cannot be a Space. Choose a folder inside it.')
  if (isInside(home, key)) throw refuse(`${real} contains your home folder. Choose a folder inside your home instead.`)
  if (SYSTEM.has(real) || /^\/(proc|sys|dev|etc|boot)\//.test(real))
    throw refuse(`${real} belongs to the system. Choose a folder of your own.`)
  if (key === data || isInside(key, data) || isInside(data, key))
    throw refuse(`${real} contains or is part of Carrel's own data. Choose a folder apart from ${rules.dataFolder}.`)
  const secret = secretPart(real, key, home)
  if (secret) throw refuse(`${secret} is where programs keep keys and settings. Choose a folder that holds your work.`)
  for (const other of rules.others) {
    const taken = keyOf(await realOrGiven(other), folds)
    if (key === taken) throw refuse(`${other} is a Space already. Open that one, or choose another folder.`)
    if (isInside(key, taken))
      throw refuse(`${real} is inside the Space ${other}. Use that Space, or choose a folder apart from it.`)
    if (isInside(taken, key))
      throw refuse(`${real} contains the Space ${other}. Choose a folder that holds no other Space.`)
  }
  return { real, key }
}

/**
 * Tells whether the expected folder is there; null expects any. A file, a link or another folder there is `missing`; an
 * unreadable folder is `present`: opening says why.
 */
export async function folderState(real: string, expected: RootIdentity | null = null): Promise<'present' | 'missing'> {
  try {
    const found = identityAt(real)
    return found !== null && (expected === null || found === expected) ? 'present' : 'missing'
  } catch (thrown) {
    return isAbsent(thrown) ? 'missing' : 'present'
  }
}

/**
 * Returns the real path, all links resolved, and the root that it lies in; null outside of `roots`. For a path that does
 * not exist yet, the nearest existing folder above decides. A dangling link is refused, because a write would follow it.
 * Relative paths and paths with `..` are null.
 */
export async function insideRoots(
  path: string,
  roots: readonly string[],
): Promise<{ readonly real: string; readonly root: string } | null> {
  if (!isAbsolute(path) || path.includes('\0') || path.split(/[\\/]/).includes('..')) return null
  const real = await realOfPossible(resolve(path))
  if (real === null) return null
  const realRoots = await Promise.all(roots.map(realOrGiven))
  const root = realRoots.find((one) => real === one || isInside(real, one))
  return root === undefined ? null : { real, root }
}

/** Returns the branch of a folder from `.git/HEAD` alone; a short commit when detached; null without git (F1). */
export async function branchOf(folder: string): Promise<string | null> {
  try {
    const head = (await readSmallFile(join(await gitFolder(folder), 'HEAD'))).trim()
    return head.startsWith('ref:') ? head.replace(/^ref:\s*(refs\/heads\/)?/, '') : head.slice(0, 8)
  } catch {
    return null
  }
}

/** Finds folders with `.git` near `home`, sorted: three levels down, no links or hidden ones, at most 2,000 folders. */
export async function nearbyGitFolders(home: string, limit: number): Promise<string[]> {
  const found: string[] = []
  let level = [home]
  let visited = 0
  for (let depth = 0; depth <= 3 && level.length > 0; depth += 1) {
    const next: string[] = []
    for (const folder of level) {
      visited += 1
      if (found.length >= limit || visited > 2_000) return found.toSorted()
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
      if (folder !== home && entries.some((entry) => entry.name === '.git')) found.push(folder)
      else
        next.push(
          ...entries
            .filter((entry) => entry.isDirectory() && isWorthVisiting(entry.name))
            .map((entry) => join(folder, entry.name)),
        )
    }
    level = next
  }
  return found.toSorted()
}

const isWorthVisiting = (name: string): boolean =>
  !name.startsWith('.') && !['node_modules', 'Library', 'snap', 'go', 'target', 'vendor'].includes(name)

async function existing(path: string): Promise<string> {
  let real: string
  try {
    real = await realpath(path)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EACCES')
      throw refuse(`${path} cannot be reached with your rights. Choose a folder that you can open.`)
    if (code === 'ELOOP') throw refuse(`${path} is a link that leads back to itself. Choose a real folder.`)
    if (isAbsent(cause)) throw refuse(`The folder ${path} does not exist. Create it first, or choose another.`)
    throw refuse(`${path} cannot be read: ${messageOf(cause)}. Choose a folder that you can open.`)
  }
  if (!(await stat(real)).isDirectory()) throw refuse(`${path} is a file. Choose the folder it is in.`)
  try {
    await access(real, constants.R_OK | constants.X_OK)
    await readdir(real)
  } catch {
    throw refuse(`${path} cannot be read with your rights. Choose a folder that you can open.`)
  }
  return real
}

function secretPart(real: string, key: string, home: string): string | null {
  const parts = real.split(sep)
  const at = parts.findIndex((part) => SECRET.has(part))
  if (at < 0) return null
  const whole = parts.slice(0, at + 1).join(sep)
  // Outside of the home, only `.local` and its like themselves are refused: a project may have such a name.
  const general = ['.local', '.config', '.cache', '.docker'].includes(parts[at] as string)
  return general && !isInside(key, home) ? null : whole
}

const realOrGiven = async (path: string): Promise<string> => (await realOfPossible(resolve(path))) ?? resolve(path)

/** Resolves the links of the existing part and appends the rest; null when a link on the way is dangling. */
async function realOfPossible(path: string): Promise<string | null> {
  const rest: string[] = []
  for (let at = path; ; at = dirname(at)) {
    try {
      const real = await realpath(at)
      // Nothing can be below a file.
      if (rest.length > 0 && !(await stat(real)).isDirectory()) return null
      return join(real, ...rest)
    } catch (cause) {
      // Without a sure answer the path counts as outside.
      if (!isAbsent(cause) || (await isLink(at))) return null
    }
    if (dirname(at) === at) return null
    rest.unshift(basename(at))
  }
}

const isLink = async (path: string): Promise<boolean> => (await absentAsNull(lstat(path)))?.isSymbolicLink() ?? false

/** Whether a path lies strictly inside, by whole path parts. */
function isInside(path: string, root: string): boolean {
  const way = relative(root, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** Whether the disk treats `A` and `a` as one name, tested by the other spelling of the folder. */
async function foldsCase(real: string): Promise<boolean> {
  const name = basename(real)
  const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()
  if (other === name) return process.platform === 'darwin' || process.platform === 'win32'
  const [one, two] = await Promise.all([stat(real), absentAsNull(stat(join(dirname(real), other)))])
  return one.ino === two?.ino && one.dev === two.dev
}

function keyOf(real: string, folds: boolean): string {
  const whole = real.normalize('NFC')
  return folds ? whole.toLowerCase() : whole
}

async function gitFolder(folder: string): Promise<string> {
  const path = join(folder, '.git')
  if ((await stat(path)).isDirectory()) return path
  // The `.git` of a worktree is a file that names its git folder.
  return resolve(folder, (await readSmallFile(path)).replace(/^gitdir:\s*/, '').trim())
}

const refuse = (message: string): CarrelError => new CarrelError('bad_input', message)
