import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { VERSION } from '../../src/faces/cli/installation.ts'
import { runCli } from '../../src/faces/cli/main.ts'
import type { World } from '../../src/faces/cli/terminal.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import { lockFolder } from '../../src/store/sqlite/lock.ts'
import { openForWriting } from '../../src/store/sqlite/sqlite-writer.ts'
import { folderDigest } from '../support/folder-digest.ts'
import { makeOldSqlite, nextMigration } from '../support/old-database.ts'

let top = ''
let data = ''
let path = ''
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'carrel-cli-upgrade-'))
  data = join(top, 'data')
  path = join(data, 'carrel.db')
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

const NOW = Date.UTC(2026, 10, 24)

/** Runs the command line in this process. */
const carrel = (...argv: string[]) => runInside(argv, new PassThrough(), false)

/** Runs the command line with a person at a terminal, who types. */
function atTerminal(typed: string, ...argv: string[]) {
  const stdin = new PassThrough()
  stdin.write(typed)
  return runInside(argv, stdin, true)
}

async function runInside(argv: string[], stdin: PassThrough, isTTY: boolean) {
  const said = { out: '', err: '' }
  const into = (name: 'out' | 'err') =>
    new Writable({
      write(chunk, _, done) {
        said[name] += String(chunk)
        done()
      },
    })
  const env = { CARREL_DATA_FOLDER: data, HOME: top, PATH: '' }
  const [stdout, stderr] = [into('out'), Object.assign(into('err'), { isTTY })]
  const world = { env, cwd: top, stdin: Object.assign(stdin, { isTTY }), stdout, stderr, now: () => NOW }
  return { exit: await runCli(argv, world as unknown as World), ...said }
}

async function old(schema: number): Promise<void> {
  mkdirSync(data)
  await makeOldSqlite(path, schema)
}

const upgrade = async (now = NOW) => (await openForWriting({ path, now })).close()

function ask<T>(sql: string): T[] {
  const db = new DatabaseSync(path)
  try {
    return db.prepare(sql).all() as T[]
  } finally {
    db.close()
  }
}

/** Leaves the database as a killed server does: the last commits are in the log beside it. */
function killedWhileWriting(statement: string): void {
  const program = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync(process.argv[1])
    db.exec(process.argv[2])
    process.kill(process.pid, 'SIGKILL')`
  spawnSync(process.execPath, ['-e', program, path, statement])
}

it('a check of no data, and of data of today, says that there is nothing to do and makes nothing', async () => {
  expect(await carrel('upgrade', 'check')).toMatchObject({ exit: 0, out: expect.stringContaining('No data yet') })
  expect(existsSync(data)).toBe(false)
  await old(MIGRATIONS.length)
  const before = folderDigest(data)
  expect(await carrel('upgrade', 'check')).toMatchObject({
    exit: 0,
    out: expect.stringContaining('Nothing to upgrade.'),
  })
  expect(folderDigest(data)).toEqual(before)
})

it('a check reports what is to be done, how long it takes and what it needs, and changes nothing', async () => {
  await old(2)
  const before = folderDigest(data)
  const text = await carrel('upgrade', 'check')
  expect(text).toMatchObject({ exit: 0, err: expect.stringContaining('Measuring a sample...') })
  for (const words of [
    /schema 2\nCarrel {2}\S+, schema 12\nSteps {3}0003-fewer-pages: Keeps only/,
    /Copy {4}made first, opened and counted/,
    /Space {3}up to [\d.]+ MiB on the disk of .* free\)/,
    /Time {4}about \d+ m?s: copy .*, upgrade .*, estimated from 40 rows/,
    /Locked {2}events, .*, workspace_log; no Carrel answers/,
    /Ready: the next start/,
  ])
    expect(text.out).toMatch(words)
  const report = JSON.parse((await carrel('upgrade', 'check', '--json')).out)
  expect(report).toMatchObject({
    state: 'ready',
    engine: 'sqlite',
    schema: { data: 2, known: MIGRATIONS.length },
    findings: [],
    estimate: { sampleRows: 40 },
  })
  expect(folderDigest(data)).toEqual(before)
})

it('a check reads the log of a killed server, and leaves the log unchanged', async () => {
  await old(9)
  killedWhileWriting("insert into surroundings values ('late', '', 'no json', 1)")
  expect(readdirSync(data).sort()).toEqual(['carrel.db', 'carrel.db-shm', 'carrel.db-wal'])
  const before = folderDigest(data)
  const { exit, out } = await carrel('upgrade', 'check')
  expect([exit, out]).toEqual([0, expect.stringContaining('The environment settings of late are not JSON')])
  expect(folderDigest(data)).toEqual(before)
  rmSync(`${path}-shm`)
  expect(await carrel('upgrade', 'check')).toMatchObject({
    exit: 69,
    err: expect.stringContaining('its -shm file is missing'),
  })
})

it('a check names the processes that must stop first, and obstacles', async () => {
  await old(4)
  const lock = await lockFolder(data)
  const held = await carrel('upgrade', 'check')
  expect(held).toMatchObject({
    exit: 75,
    out: expect.stringContaining(`Process ${process.pid} is using the data folder`),
  })
  expect(held.out).toContain('Ready once these have stopped')
  lock.release()
  const db = new DatabaseSync(path)
  db.exec('create table ports (mine text)')
  db.close()
  const before = folderDigest(data)
  const blocked = await carrel('upgrade', 'check')
  expect(blocked).toMatchObject({ exit: 69, out: expect.stringContaining('The upgrade creates the table ports') })
  expect(blocked.out).toContain('Blocked')
  expect(folderDigest(data)).toEqual(before)
})

it('U2: all commands refuse data of a newer Carrel, and nothing changes', async () => {
  mkdirSync(data)
  ;(await openForWriting({ path, now: 1 }, [...MIGRATIONS, nextMigration()])).close()
  ;(await lockFolder(data)).release()
  const before = folderDigest(data)
  for (const argv of [
    ['upgrade', 'check'],
    ['sessions', 'list'],
  ]) {
    const refused = await carrel(...argv)
    expect(refused).toMatchObject({
      exit: 69,
      err: expect.stringMatching(/newer Carrel wrote this database \(schema 13/),
    })
    expect(folderDigest(data)).toEqual(before)
  }
})

it('U2: going back lists the losses first, needs --yes, and can itself be reverted', async () => {
  await old(9)
  await upgrade(NOW)
  const [copy = ''] = readdirSync(join(data, 'upgrades'))
  const db = new DatabaseSync(path)
  db.exec(`insert into workspaces (id, name, created_at) values ('new', 'New', ${NOW + 1})`)
  db.exec(
    `insert into events (session, seq, at, type, data) values ('ses_1', 31, ${NOW + 1}, 'prompt.requested', '{}')`,
  )
  db.close()
  const listed = await carrel('upgrade', 'back')
  expect(listed).toMatchObject({
    exit: 0,
    out: expect.stringContaining(copy),
    err: expect.stringContaining('newest 3 are kept'),
  })
  const before = folderDigest(data)
  const asked = await carrel('upgrade', 'back', copy)
  expect(asked.err).toContain('lost: 1 new workspace, 1 continued session, 1 event, 1 prompt.')
  expect(asked.err).toContain('Nothing was changed. Use --yes to go back.')
  expect(folderDigest(data)).toEqual(before)
  const done = JSON.parse((await carrel('upgrade', 'back', copy, '--yes', '--json')).out)
  expect(done).toMatchObject({ done: true, schema: 9, present: MIGRATIONS.length, loss: { events: 1 } })
  expect(ask('select id from workspaces')).toEqual([{ id: 'w' }])
  expect(ask('select max(version) as v from schema_versions')).toEqual([{ v: 9 }])
  expect(await carrel('upgrade', 'back', done.aside, '--yes')).toMatchObject({
    exit: 0,
    out: expect.stringContaining('with schema 12'),
    err: expect.stringContaining('Install the earlier version'),
  })
  expect(ask('select id from workspaces order by id')).toEqual([{ id: 'new' }, { id: 'w' }])
})

it('U2: the log of a killed server is kept aside, and does not get into the copy', async () => {
  await old(9)
  await upgrade()
  const [copy = ''] = readdirSync(join(data, 'upgrades'))
  killedWhileWriting("insert into workspaces (id, name, created_at) values ('late', 'Late', 1)")
  const { aside } = JSON.parse((await carrel('upgrade', 'back', copy, '--yes', '--json')).out)
  expect(ask('select id from workspaces')).toEqual([{ id: 'w' }])
  path = join(data, 'upgrades', aside, 'carrel.db')
  expect(ask('select id from workspaces order by id')).toEqual([{ id: 'late' }, { id: 'w' }])
})

it('U2: at a terminal a person confirms by the typed word, and by no other', async () => {
  await old(9)
  await upgrade()
  const [copy = ''] = readdirSync(join(data, 'upgrades'))
  const no = await atTerminal('yes\n', 'upgrade', 'back', copy)
  expect(no.err).toContain('Type "back" to go back')
  expect([no.exit, ask('select max(version) as v from schema_versions')]).toEqual([0, [{ v: MIGRATIONS.length }]])
  expect(await atTerminal('back\n', 'upgrade', 'back', copy)).toMatchObject({ exit: 0 })
  expect(ask('select max(version) as v from schema_versions')).toEqual([{ v: 9 }])
})

it('U2: a copy that was tampered with, an unknown one, and a folder in use are refused, and nothing changes', async () => {
  await old(9)
  await upgrade()
  const [copy = ''] = readdirSync(join(data, 'upgrades'))
  ;(await lockFolder(data)).release()
  const refused = async (name: string, exit: number, words: RegExp) => {
    const before = folderDigest(data)
    expect(await carrel('upgrade', 'back', name, '--yes')).toMatchObject({ exit, err: expect.stringMatching(words) })
    expect(folderDigest(data)).toEqual(before)
  }
  await refused('2020-01-01T00-00-00-000Z-schema-1', 66, /There is no copy .*upgrade back. lists/)
  const lock = await lockFolder(data)
  await refused(copy, 69, new RegExp(`Process ${process.pid} is using the data folder`))
  lock.release()
  const reader = new DatabaseSync(path)
  reader.exec('begin; select * from workspaces')
  await refused(copy, 69, /Another program has .* open/)
  reader.close()
  const file = join(data, 'upgrades', copy, 'carrel.db')
  const whole = join(top, 'whole')
  cpSync(file, whole)
  writeFileSync(file, readFileSync(file).fill(0, 8_192, 8_200))
  await refused(copy, 69, /has changed: the digest/)
  cpSync(whole, file)
  const manifest = join(data, 'upgrades', copy, 'manifest.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"events": 30', '"events": 31'))
  await refused(copy, 69, /does not hold the rows that its manifest says/)
})

it('U1: the first command of a newer Carrel copies the data, upgrades it, and says so', async () => {
  await old(9)
  const first = await carrel('workspaces', 'list')
  expect(first).toMatchObject({
    exit: 0,
    out: expect.stringContaining('Home'),
    err: expect.stringMatching(/Copied the data to .*upgrades\/.*-schema-9\.\nUpgrade step 0010-browsers\./),
  })
  expect(await carrel('workspaces', 'list')).toMatchObject({ exit: 0, err: '' })
  const { copies } = JSON.parse((await carrel('upgrade', 'back', '--json')).out)
  expect(copies).toMatchObject([{ schema: 9, reason: 'upgrade', carrel: VERSION, counts: { events: 30 } }])
  expect(copies[0].at).toBeGreaterThan(0)
})

it('U1: data behind a link is upgraded, and reverted, at its real path', async () => {
  await old(9)
  const real = join(top, 'real.db')
  renameSync(path, real)
  symlinkSync(real, path)
  expect(await carrel('upgrade', 'check')).toMatchObject({ exit: 0 })
  await upgrade()
  const [copy = ''] = readdirSync(join(data, 'upgrades'))
  expect(await carrel('upgrade', 'back', copy, '--yes')).toMatchObject({ exit: 0 })
  expect([lstatSync(path).isSymbolicLink(), ask('select max(version) as v from schema_versions')]).toEqual([
    true,
    [{ v: 9 }],
  ])
})

it('a backup of an older schema is restored unchanged, and upgraded by the next command', async () => {
  await old(6)
  const [target, again] = [join(top, 'backup'), join(top, 'again')]
  expect(await carrel('backup', target)).toMatchObject({ exit: 0 })
  expect(await carrel('backup', 'restore', target, '--data', again)).toMatchObject({ exit: 0 })
  path = join(again, 'carrel.db')
  expect(ask('select max(version) as v from schema_versions')).toEqual([{ v: 6 }])
  expect(await carrel('workspaces', 'list', '--data', again)).toMatchObject({ exit: 0 })
  expect(ask('select max(version) as v from schema_versions')).toEqual([{ v: MIGRATIONS.length }])
})

it('an upgrade refuses a remote server', async () => {
  expect(await carrel('upgrade', 'check', '--url', 'http://127.0.0.1:1')).toMatchObject({ exit: 64 })
})
