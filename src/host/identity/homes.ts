import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { HomeNote } from '../../model/settings/homes.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { errorCode } from '../../primitives/error-code.ts'
import { parseJson } from '../../primitives/json.ts'

const run = promisify(execFile)

/** Person at this machine: home folder, and the PATH for git. */
export interface Person {
  readonly home: string
  readonly path: string
}

/** Returns a home's path: short, because sockets lie in it, and inside `folder` for any agent name. */
export function homePath(folder: string, note: HomeNote): string {
  const owner = note.kind === 'session' ? note.session : ownerOf(note).join(':')
  return join(
    folder,
    `${note.agent}-${createHash('sha256').update(`${note.agent} ${owner}`).digest('hex').slice(0, 16)}`,
  )
}

function ownerOf({ kind, workspace, space, run: id }: HomeNote): (string | null)[] {
  if (kind === 'agent') return ['workspace', workspace]
  return kind === 'space' ? ['space', space] : ['run', id]
}

/** Variables by which programs find a home. A variable that a person sets explicitly wins. */
export const homeVariables = (path: string) => ({
  XDG_CONFIG_HOME: join(path, '.config'),
  XDG_DATA_HOME: join(path, '.local', 'share'),
  XDG_STATE_HOME: join(path, '.local', 'state'),
  XDG_CACHE_HOME: join(path, '.cache'),
})

/** Makes a private home with the person's git identity. The note comes first, for a crash. Safe to repeat. */
export async function makeHome(folder: string, note: HomeNote, person: Person): Promise<void> {
  const path = homePath(folder, note)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await noteHome(folder, note)
  const fresh = (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined
  const identity = fresh ? await gitIdentity(person) : null
  if (identity === null) return
  await writeFile(join(path, '.gitconfig'), identity, { flag: 'wx' }).catch((cause) => {
    if (errorCode(cause) !== 'EEXIST') throw cause
  })
}

/** Writes the note that names the owner of a home. Safe to repeat. */
export async function noteHome(folder: string, note: HomeNote): Promise<void> {
  const path = homePath(folder, note)
  const part = `${path}.json.${randomUUID()}.part`
  await writeFile(part, JSON.stringify(note), { mode: 0o600 })
  await rename(part, `${path}.json`)
}

/** Returns homes without a note, from versions before schema 9: each belongs to one session. */
export async function listUnnoted(folder: string): Promise<string[]> {
  const names = new Set(await namesIn(folder))
  const homes = [...names].filter((name) => UNNOTED.test(name) && !names.has(`${name}.json`))
  return homes.map((name) => join(folder, name))
}

const UNNOTED = /-[0-9a-f]{16}$/

/** Returns the agent of a home. */
export const agentOfHome = (path: string): string => basename(path).replace(UNNOTED, '')

/** Returns all homes with a known owner. */
export async function listHomes(folder: string): Promise<HomeNote[]> {
  const names = await namesIn(folder)
  const notes = names.filter((name) => name.endsWith('.json')).map((name) => noteIn(join(folder, name)))
  return (await Promise.all(notes)).filter((note) => note !== null)
}

/** Returns no names only for a missing folder: an unreadable one must not count as empty. */
const namesIn = async (folder: string): Promise<string[]> => (await absentAsNull(readdir(folder))) ?? []

/** Removes a home with its content, once no process lives there. Safe to repeat. */
export async function removeHome(folder: string, note: HomeNote): Promise<void> {
  const path = homePath(folder, note)
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
  await rm(`${path}.json`, { force: true })
}

async function noteIn(path: string): Promise<HomeNote | null> {
  const text = await absentAsNull(readFile(path, 'utf8'))
  return text === null ? null : (HomeNote.safeParse(parseJson(text)).data ?? null)
}

/** Returns the person's global git identity as a settings file; null without one, or without git. */
async function gitIdentity({ home, path }: Person): Promise<string | null> {
  const args = ['config', '--global', '--includes', '--null', '--get-regexp', '^user\\.(name|email)$']
  try {
    const { stdout } = await run('git', args, { env: { PATH: path, HOME: home }, cwd: '/', timeout: GIT_MS })
    const lines = stdout.split('\0').filter((entry) => entry !== '')
    return ['[user]', ...lines.map(asLine), ''].join('\n')
  } catch {
    return null
  }
}

const GIT_MS = 5_000

function asLine(entry: string): string {
  const at = entry.indexOf('\n')
  const value = entry
    .slice(at + 1)
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('\n', '\\n')
  return `\t${entry.slice('user.'.length, at)} = "${value}"`
}
