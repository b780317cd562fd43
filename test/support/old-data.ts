import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Facts } from './old-facts.ts'

/** Where the data folders of `test/fixtures` were made: this path stands in their rows, and goes when they are laid down. */
export const MOVED_FROM = '/tmp/carrel-fixture'

export const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url))
export const ENGINES = ['sqlite', 'postgres'] as const
export type EngineName = (typeof ENGINES)[number]

export interface OldData {
  readonly root: string
  readonly dataFolder: string
  /** The environment of a server on this data. */
  readonly env: Readonly<Record<string, string>>
  readonly expected: Facts
  /** The log of each session of the default workspace as the version of then told it, by the session's name. */
  readonly logs: Readonly<Record<string, string>>
  /** Removes it. */
  remove(): void
}

/** The name of a fixture begins with its schema: `07`, or `10-names` for a second one of schema 10. */
export const fixtureName = (schema: number, suffix = ''): string => `${String(schema).padStart(2, '0')}${suffix}`

const folderOf = (name: string): string => join(FIXTURES, `schema-${name}`)

/** Where the data of a fixture is packed up. */
export const fixtureOf = (name: string, engine: EngineName): string => join(folderOf(name), `${engine}.tar.gz`)

/** Unpacks a data folder of then into a new folder, and fills `databaseUrl`, an empty database, where it is of Postgres. */
export async function layDown(name: string, engine: EngineName, databaseUrl: string | null): Promise<OldData> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-old-')))
  execFileSync('tar', ['-xzf', fixtureOf(name, engine), '-C', root])
  // A backup has digests of its files: it is restored first, and what comes of it is moved.
  moveTree(root, root, (path) => !path.startsWith(join(root, 'backup')))
  if (databaseUrl) await load(databaseUrl, readFileSync(join(root, 'database.sql'), 'utf8'))
  const expected = JSON.parse(readFileSync(join(folderOf(name), 'expected.json'), 'utf8'))
  const exported = join(root, 'exports')
  const logs = readdirSync(exported).map((name) => [
    name.slice(0, -'.jsonl'.length),
    readFileSync(join(exported, name), 'utf8'),
  ])
  const home = join(root, 'home')
  mkdirSync(home, { recursive: true })
  return {
    root,
    dataFolder: join(root, 'data'),
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      HOME: home,
      CARREL_SCRIPTED_HOME: join(root, 'memory'),
      LANG: 'C.UTF-8',
    },
    expected: expected[engine],
    logs: Object.fromEntries(logs),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** Rewrites the paths in all files below `folder`, which was made below `MOVED_FROM` and is below `root` now. */
export function moveTree(folder: string, root: string, moves: (path: string) => boolean = () => true): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && moves(path)) moveFile(path, root)
  }
}

/** A folder that moves is a thing of tests only: paths in rows are absolute, so they are rewritten. */
function moveFile(path: string, root: string): void {
  if (path.endsWith('.db')) return moveRows(path, root)
  const content = readFileSync(path)
  if (content.includes(0) || !content.includes(MOVED_FROM)) return
  writeFileSync(path, content.toString('utf8').replaceAll(MOVED_FROM, root))
}

function moveRows(path: string, root: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('begin')
    for (const { name } of db
      .prepare("select name from pragma_table_list where schema = 'main' and type = 'table'")
      .all()) {
      if (String(name).startsWith('sqlite_')) continue
      for (const { name: column } of db.prepare('select name from pragma_table_info(?)').all(String(name))) {
        db.prepare(
          `update "${name}" set "${column}" = replace("${column}", ?, ?)
           where typeof("${column}") = 'text' and instr("${column}", ?) > 0`,
        ).run(MOVED_FROM, root, MOVED_FROM)
      }
    }
    db.exec('commit')
  } finally {
    db.close()
  }
}

async function load(databaseUrl: string, statements: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(statements)
  } finally {
    await client.end()
  }
}
