import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import { backSqlite } from '../../src/store/sqlite/sqlite-back.ts'
import { openForWriting } from '../../src/store/sqlite/sqlite-writer.ts'
import { copiesIn, listCopies, readCopy } from '../../src/store/upgrade/copies.ts'
import { makeOldSqlite, OLD_ROWS } from '../support/old-database.ts'

const CHILD = fileURLToPath(new URL('../support/upgrade-child.ts', import.meta.url))
const OLD = 2

let top = ''
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'carrel-upgrade-killed-'))
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

/** Runs an act to its end. @returns its steps, and for each the folder as a kill before it would leave it */
function stepsOf(act: string, folder: string): { name: string; left: string }[] {
  const kept = join(top, `kept-${act}`)
  mkdirSync(kept)
  const said = execFileSync(process.execPath, [CHILD, act, folder, kept], { encoding: 'utf8' })
  const names = said.trim().split('\n')
  expect(names.pop()).toBe('end')
  return names.map((name, at) => ({ name, left: join(kept, String(at + 1)) }))
}

async function killAt(act: string, folder: string, step: string): Promise<void> {
  const child = spawn(process.execPath, [CHILD, act, folder, '', step], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const piece of child.stdout) {
    said += piece
    if (said.includes('\n')) child.kill('SIGKILL')
  }
  expect(said.startsWith(step), said).toBe(true)
}

const databaseIn = (folder: string) => join(folder, 'carrel.db')

/** Returns the schema and the events of a database, whatever is beside it. */
function seen(path: string): { schema: number; events: number; last: unknown } {
  const db = new DatabaseSync(path)
  try {
    const get = (sql: string) => db.prepare(sql).get() as { n: number }
    const last = db.prepare('select data from events order by id desc limit 1').get()
    return {
      schema: get('select max(version) as n from schema_versions').n,
      events: get('select count(*) as n from events').n,
      last: last?.data,
    }
  } finally {
    db.close()
  }
}

/** Checks that every listed copy is whole. @returns their schemas, newest first */
async function copiesOf(folder: string): Promise<number[]> {
  const { copies, unreadable } = listCopies(copiesIn(folder))
  expect(unreadable).toEqual([])
  for (const { name, folder: own, manifest } of copies) {
    await readCopy(copiesIn(folder), name)
    expect(seen(join(own, 'carrel.db'))).toMatchObject({ schema: manifest.schema, events: OLD_ROWS.events })
    for (const ending of ['-wal', '-shm']) rmSync(join(own, `carrel.db${ending}`), { force: true })
  }
  return copies.map(({ manifest }) => manifest.schema)
}

const again = async (folder: string) =>
  (await openForWriting({ path: databaseIn(folder), now: Date.UTC(2026, 10, 27) })).close()

describe('U1: an upgrade that is killed', () => {
  let first = ''
  beforeAll(async () => {
    first = join(top, 'first')
    mkdirSync(first)
    await makeOldSqlite(databaseIn(first), OLD)
  })

  async function expectWhole(left: string): Promise<number> {
    const { schema, events, last } = seen(databaseIn(left))
    expect([OLD, MIGRATIONS.length]).toContain(schema)
    const copied = await copiesOf(left)
    if (schema !== OLD) expect(copied).toEqual([OLD])
    await again(left)
    expect(seen(databaseIn(left))).toEqual({ schema: MIGRATIONS.length, events, last })
    // Each try that had work to do made a copy of its own.
    expect(await copiesOf(left)).toEqual(schema === OLD ? [OLD, ...copied] : [OLD])
    expect(readdirSync(copiesIn(left)).filter((name) => name.endsWith('.part'))).toEqual([])
    return schema
  }

  it('before any of its steps leaves the data wholly old, or wholly new, and the next start completes it', async () => {
    const folder = join(top, 'upgraded')
    cpSync(first, folder, { recursive: true })
    const steps = stepsOf('upgrade', folder)
    const names = steps.map(({ name }) => name)
    for (const part of ['mkdirSync', 'openSync manifest.json', 'renameSync', 'in 0003', 'in 0010', 'commit'])
      expect(
        names.some((name) => name.startsWith(part)),
        `${part} in ${names}`,
      ).toBe(true)
    const became: number[] = []
    for (const { left, name } of steps) {
      became.push(
        await expectWhole(left).catch((cause: unknown) => {
          throw new Error(`killed before ${name}`, { cause })
        }),
      )
    }
    expect(new Set(became)).toEqual(new Set([OLD]))
    expect(await expectWhole(folder)).toBe(MIGRATIONS.length)
  })

  it.each(['renameSync', 'in 0009', 'commit'])('with kill -9 at %s is completed by the next start', async (step) => {
    const folder = join(top, `killed-${step.replace(' ', '-')}`)
    cpSync(first, folder, { recursive: true })
    await killAt('upgrade', folder, step)
    expect(await expectWhole(folder)).toBe(OLD)
  })
})

describe('U2: a restore of a copy that is killed', () => {
  let first = ''
  beforeAll(async () => {
    first = join(top, 'new')
    mkdirSync(first)
    await makeOldSqlite(databaseIn(first), OLD)
    await again(first)
    const db = new DatabaseSync(databaseIn(first))
    db.exec("insert into workspaces (id, name, created_at) values ('new', 'New', 1)")
    db.close()
  })

  async function expectWhole(left: string): Promise<number> {
    const { schema, events } = seen(databaseIn(left))
    expect([events, [OLD, MIGRATIONS.length]]).toEqual([OLD_ROWS.events, expect.arrayContaining([schema])])
    const schemas = await copiesOf(left)
    expect(schemas).toContain(OLD)
    const copies = copiesIn(left)
    const [old] = listCopies(copies).copies.filter(({ manifest }) => manifest.schema === OLD)
    const back = { path: databaseIn(left), copies, name: old?.name ?? '', carrel: 'test', say: () => undefined }
    await backSqlite({ ...back, now: Date.UTC(2026, 10, 28) })
    expect(seen(databaseIn(left))).toMatchObject({ schema: OLD, events })
    expect(readdirSync(left).filter((name) => name.endsWith('.back'))).toEqual([])
    return schema
  }

  it('before any of its steps leaves the data wholly unchanged, or wholly as the copy, and can be repeated', async () => {
    const folder = join(top, 'went-back')
    cpSync(first, folder, { recursive: true })
    const steps = stepsOf('back', folder)
    const became: number[] = []
    for (const { left, name } of steps) {
      became.push(
        await expectWhole(left).catch((cause: unknown) => {
          throw new Error(`killed before ${name}`, { cause })
        }),
      )
    }
    const swap = steps.findIndex(({ name }) => name === 'renameSync carrel.db')
    expect(swap).toBeGreaterThan(5)
    expect(became).toEqual(steps.map((_, at) => (at <= swap ? MIGRATIONS.length : OLD)))
    expect(seen(databaseIn(folder)).schema).toBe(OLD)
  })

  it('with kill -9 right before the swap leaves the data unchanged', async () => {
    const folder = join(top, 'killed-back')
    cpSync(first, folder, { recursive: true })
    await killAt('back', folder, 'renameSync carrel.db')
    expect(await expectWhole(folder)).toBe(MIGRATIONS.length)
  })
})
