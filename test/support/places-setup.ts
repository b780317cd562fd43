import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { MakePlace, Places } from '../../src/host/places/place.ts'
import { openPlaces } from '../../src/host/places/places.ts'
import { removeFolder } from '../../src/host/places/removal.ts'
import { probeContainment } from '../../src/host/process/containment.ts'
import { onFileFinished } from './file-end.ts'

export const PATH = process.env.PATH ?? '/usr/bin:/bin'
/** Removed at the end of each file; the next file of this worker creates the folder again. */
export const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-places-')))
export const containment = await probeContainment(PATH)

const readyTop = () => {
  mkdirSync(top, { recursive: true })
  onFileFinished(() => removeFolder(top))
}
let count = 0
/** Returns a name that no other test has. */
export const fresh = (name: string) => `${name}-${++count}`

export interface World {
  readonly places: Places
  readonly parent: string
  readonly ledger: string
  ask(parts: Partial<MakePlace> & Pick<MakePlace, 'kind' | 'source'>): MakePlace
}

/** Opens the places of a new data folder; with `parent`, of a folder that an earlier process left. */
export function world(env: Record<string, string> = {}, parent = join(top, fresh('data'), 'places')): World {
  readyTop()
  const dataFolder = dirname(parent)
  const ledger = join(dataFolder, 'processes')
  const machine = { path: PATH, env: { PATH, ...env }, containment, ledger, now: Date.now }
  const places = openPlaces({ dataFolder, ...machine })
  onFileFinished(() => places.close())
  const never = new AbortController().signal
  const rest = { branch: null, start: null, include: [], setup: null, driver: null, signal: never, parent }
  return {
    places,
    parent,
    ledger,
    ask: (parts) => ({ id: fresh('prj'), onProgress: () => undefined, ...rest, ...parts }),
  }
}

/** Runs git as a person does, without this machine's settings. */
export function git(cwd: string, ...args: string[]): string {
  const env = { PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' }
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', '-c', 'init.defaultBranch=main']
  return execFileSync('git', [...who, '-c', 'protocol.file.allow=always', ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim()
}

export function write(folder: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** Creates a folder with some files and without git. */
export function plainFolder(
  files: Record<string, string> = { 'a.txt': 'a', 'sub/b.txt': 'b', 'sub/deep/c.txt': 'c' },
): string {
  readyTop()
  const folder = join(top, fresh('folder'))
  mkdirSync(folder)
  write(folder, files)
  return folder
}

/** Creates a repository with one commit of the same files. */
export function repository(files?: Record<string, string>): string {
  const folder = plainFolder(files)
  git(folder, 'init', '-q')
  git(folder, 'add', '.')
  git(folder, 'commit', '-q', '-m', 'first')
  return folder
}

/** Digests names, kinds, modes, times and content of everything at and below a path: equal only if nothing changed. */
export function digest(path: string): string {
  const hash = createHash('sha256')
  const visit = (at: string) => {
    const found = lstatSync(at)
    hash.update(`${at}\0${found.mode}\0${found.mtimeMs}\0${found.ctimeMs}\0${found.ino}\0`)
    if (found.isSymbolicLink()) hash.update(readlinkSync(at))
    else if (found.isFile()) hash.update(readFileSync(at))
    else if (found.isDirectory()) for (const name of readdirSync(at).sort()) visit(join(at, name))
  }
  visit(path)
  return hash.digest('hex')
}

/** Returns paths and contents below a folder; a link's content is its target. */
export function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  const visit = (below: string) => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) {
        found[`${path}/`] = ''
        visit(path)
      } else if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(folder, path))}`
      else found[path] = readFileSync(join(folder, path), 'utf8')
    }
  }
  visit('')
  return found
}
