import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Facts } from './old-facts.ts'

/** The folder in which the data of `test/fixtures` was made. Rows contain this path; `layDown` replaces it. */
export const MOVED_FROM = '/tmp/carrel-fixture'

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url))
export const ENGINES = ['sqlite', 'postgres'] as const
export type EngineName = (typeof ENGINES)[number]

export interface OldData {
  readonly root: string
  readonly dataFolder: string
  /** The environment of a server on this data. */
  readonly env: Readonly<Record<string, string>>
  readonly expected: Facts
  /** The log of each session of the default workspace by the session's name, as the old version returned it. */
  readonly logs: Readonly<Record<string, string>>
  /** Removes the data folder. */
  remove(): void
}

/**
 * Returns the name of a fixture. The name begins with its schema: `07`, or `10-names` for a second one of schema 10.
 */
export const fixtureName = (schema: number, suffix = ''): string => `${String(schema).padStart(2, '0')}${suffix}`

const folderOf = (name: string): string => join(FIXTURES, `schema-${name}`)

/** Returns the path of a fixture's packed data. */
export const fixtureOf = (name: string, engine: EngineName): string => join(folderOf(name), `${engine}.tar.gz`)

/** Unpacks an old data folder into a new folder. For Postgres, also fills the empty database at `databaseUrl`. */
export async function layDown(name: string, engine: EngineName, databaseUrl: string | null): Promise<OldData> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-old-')))
  execFileSync('tar', ['-xzf', fixtureOf(name, engine), '-C', root])
  // A backup has digests of its files: the test restores it first and then moves the result.
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

/**
 * Rewrites the paths in all files below `folder`, from `MOVED_FROM`, where they were made, to `root`, where they are
 * now.
 */
export function moveTree(folder: string, root: string, moves: (path: string) => boolean = () => true): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && moves(path)) moveFile(path, root)
  }
}

/** Rewrites one file. Only tests move a data folder: paths in rows are absolute. */
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
