import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { MOVED_FROM } from '../test/support/old-data.ts'
import { ROOT } from './carried.mjs'

/**
 * Makes the fixture of one schema with the Carrel of a checkout whose newest schema that is, on both engines:
 *
 *     node scripts/fixture.ts <checkout> <address of a Postgres whose user may create databases> [<suffix>]
 *
 * `test/fixtures/README.md` says when, and what is in them.
 */
const [checkout = '', postgres = '', suffix = ''] = process.argv.slice(2)
const STORY = fileURLToPath(new URL('./fixture-story.ts', import.meta.url))
/** Folders and files that say nothing to a later version, or name processes of this machine. */
const STRIPPED = [
  'compiled',
  'processes',
  'keepers',
  'browsers',
  'lock.db',
  'lock.pid',
  'server.json',
  'open.html',
  'tmp',
]
const GIT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
}

const migrations = readdirSync(join(checkout, 'src/store/sql/migrations')).filter((name) => /^\d{4}-/.test(name))
const target = join(ROOT, 'test/fixtures', `schema-${String(migrations.length).padStart(2, '0')}${suffix}`)
rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
const expected = { sqlite: await makeOn('sqlite', null), postgres: await onPostgres() }
writeFileSync(join(target, 'expected.json'), `${JSON.stringify(expected, null, 2)}\n`)

async function onPostgres(): Promise<unknown> {
  const name = `carrel_fixture_${process.pid}`
  const client = new pg.Client({ connectionString: postgres })
  await client.connect()
  await client.query(`create database ${name}`)
  try {
    const url = new URL(postgres)
    url.pathname = `/${name}`
    return await makeOn('postgres', url.href)
  } finally {
    await client.query(`drop database ${name} with (force)`)
    await client.end()
  }
}

/** Returns the facts that this version told of what it left. */
async function makeOn(engine: string, databaseUrl: string | null): Promise<unknown> {
  if (existsSync(MOVED_FROM)) throw new Error(`${MOVED_FROM} is there already. Take it away, then try again.`)
  try {
    makeGround()
    play('work', databaseUrl, 'SIGKILL')
    play('rest', databaseUrl, null)
    for (const name of STRIPPED) rmSync(join(MOVED_FROM, 'data', name), { recursive: true, force: true })
    rmSync(join(MOVED_FROM, 'data', 'logs', 'agents'), { recursive: true, force: true })
    for (const file of ['carrel.db', 'files/files.db']) compact(join(MOVED_FROM, 'data', file))
    if (databaseUrl) writeFileSync(join(MOVED_FROM, 'database.sql'), dump(databaseUrl))
    const facts = JSON.parse(readFileSync(join(MOVED_FROM, 'expected.json'), 'utf8'))
    rmSync(join(MOVED_FROM, 'expected.json'))
    refuseTraces(engine)
    pack(join(target, `${engine}.tar.gz`))
    return facts
  } finally {
    rmSync(MOVED_FROM, { recursive: true, force: true })
  }
}

/** The folders that people work in, and a home without anything of this machine's person. */
function makeGround(): void {
  const site = join(MOVED_FROM, 'work', 'site')
  for (const folder of [site, join(MOVED_FROM, 'work', 'garden'), join(MOVED_FROM, 'home')]) {
    mkdirSync(folder, { recursive: true })
  }
  writeFileSync(join(site, 'README.md'), '# Site\n')
  for (const args of [
    ['init', '-q', '--template=', '-b', 'main'],
    ['add', '.'],
    ['commit', '-qm', 'first'],
  ]) {
    execFileSync('git', args, { cwd: site, env: environment() })
  }
}

function environment() {
  return {
    PATH: process.env.PATH ?? '',
    HOME: join(MOVED_FROM, 'home'),
    LANG: 'C.UTF-8',
    NODE_NO_WARNINGS: '1',
    ...GIT,
  }
}

function play(part: string, databaseUrl: string | null, ends: string | null): void {
  const args = [STORY, part, resolve(checkout), MOVED_FROM, ...(databaseUrl ? [databaseUrl] : [])]
  const { status, signal } = spawnSync(process.execPath, args, {
    env: environment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (signal !== ends || (ends === null && status !== 0)) throw new Error(`"${part}" ended with ${signal ?? status}.`)
}

/** One small file: what stood in the log beside it is in it, and empty pages are gone. */
function compact(path: string): void {
  if (!existsSync(path)) return
  const db = new DatabaseSync(path)
  db.exec('pragma wal_checkpoint(truncate); vacuum; pragma wal_checkpoint(truncate)')
  db.close()
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}

/** As statements only, since one query of a driver loads it: no lines for psql, no rows for `copy`. */
function dump(databaseUrl: string): string {
  const args = ['--inserts', '--no-owner', '--no-privileges', '--no-comments', '--encoding=UTF8', databaseUrl]
  const text = execFileSync('pg_dump', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return text
    .split('\n')
    .filter((line) => !/^(\\|--|$)/.test(line))
    .join('\n')
}

/** Nothing that is kept for ever names this machine, its people or their folders. */
function refuseTraces(engine: string): void {
  const traces = [hostname(), ROOT, process.env.HOME, userInfo().username].filter((trace) => (trace?.length ?? 0) > 4)
  for (const entry of readdirSync(MOVED_FROM, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const found = traces.find((trace) => readFileSync(path, 'latin1').includes(trace ?? ''))
    if (found) throw new Error(`The fixture for ${engine} names this machine (${found}) in ${path}.`)
  }
}

/** The same bytes for the same content. */
function pack(file: string): void {
  const tar = `${file}.tar`
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu']
  execFileSync('tar', [...same, '-C', MOVED_FROM, '-cf', tar, '.'])
  execFileSync('gzip', ['-n', '-9', tar])
  renameSync(`${tar}.gz`, file)
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)
  console.log(`${basename(target)}/${basename(file)}: ${readFileSync(file).length} bytes, ${digest}`)
}
