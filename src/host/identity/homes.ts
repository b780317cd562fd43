import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { HomeNote } from '../../model/homes.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { errorCode } from '../../primitives/error-code.ts'

const run = promisify(execFile)

/** The person at this machine: where their own home is, and where git is looked for. */
export interface Person {
  readonly home: string
  readonly path: string
}

/** Short, since programs make sockets in it, and nothing in it leads out of `folder`, whatever agents are called. */
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

/** The variables by which programs find a home. What is said by name stays: who said it meant it. */
export const homeVariables = (path: string) => ({
  XDG_CONFIG_HOME: join(path, '.config'),
  XDG_DATA_HOME: join(path, '.local', 'share'),
  XDG_STATE_HOME: join(path, '.local', 'state'),
  XDG_CACHE_HOME: join(path, '.cache'),
})

/**
 * Makes a home for its owner only, with the name and address that git signs the person's commits with and nothing else of theirs.
 * What it is stands beside it before it is there, so that none is ever left without an owner. Safe to repeat.
 */
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

/** Writes down whose home one is. Safe to repeat. */
export async function noteHome(folder: string, note: HomeNote): Promise<void> {
  const path = homePath(folder, note)
  const part = `${path}.json.${randomUUID()}.part`
  await writeFile(part, JSON.stringify(note), { mode: 0o600 })
  await rename(part, `${path}.json`)
}

/** Paths of homes without a note, as versions before schema 9 left them: each belongs to one session. */
export async function listUnnoted(folder: string): Promise<string[]> {
  const names = new Set(await namesIn(folder))
  const homes = [...names].filter((name) => UNNOTED.test(name) && !names.has(`${name}.json`))
  return homes.map((name) => join(folder, name))
}

const UNNOTED = /-[0-9a-f]{16}$/

/** The agent in whose name a home was made. */
export const agentOfHome = (path: string): string => basename(path).replace(UNNOTED, '')

/** All homes whose owner is known. */
export async function listHomes(folder: string): Promise<HomeNote[]> {
  const names = await namesIn(folder)
  const notes = names.filter((name) => name.endsWith('.json')).map((name) => noteIn(join(folder, name)))
  return (await Promise.all(notes)).filter((note) => note !== null)
}

/** Only a folder that is not there has no names: one that cannot be read must not pass for one without homes. */
const namesIn = async (folder: string): Promise<string[]> => (await absentAsNull(readdir(folder))) ?? []

/** With all that is in it. Nothing lives there any more. Safe to repeat. */
export async function removeHome(folder: string, note: HomeNote): Promise<void> {
  const path = homePath(folder, note)
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
  await rm(`${path}.json`, { force: true })
}

async function noteIn(path: string): Promise<HomeNote | null> {
  const text = await absentAsNull(readFile(path, 'utf8'))
  if (text === null) return null
  try {
    return HomeNote.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** What a person's git says for everywhere, as a file for git; null where there is nothing, or no git. */
async function gitIdentity({ home, path }: Person): Promise<string | null> {
  const words = ['config', '--global', '--includes', '--null', '--get-regexp', '^user\\.(name|email)$']
  try {
    const { stdout } = await run('git', words, { env: { PATH: path, HOME: home }, cwd: '/', timeout: GIT_MS })
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
