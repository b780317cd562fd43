import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Dialect } from '../../src/store/sql/dialect.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import type { Migration } from '../../src/store/sql/migrations/migration.ts'
import type { Tx } from '../../src/store/sql/tx.ts'
import { checkSqlite } from '../../src/store/sqlite/sqlite-check.ts'
import { openForWriting } from '../../src/store/sqlite/sqlite-writer.ts'
import { copiesIn, listCopies } from '../../src/store/upgrade/copies.ts'
import { folderDigest } from '../support/folder-digest.ts'
import { makeOldSqlite } from '../support/old-database.ts'
import { canMountDisk, mountSmallDisk, type SmallDisk } from '../support/small-disk.ts'

let disk: SmallDisk
let path = ''
beforeEach(async ({ skip }) => {
  if (!canMountDisk) return skip('only on Linux as root: a small disk has to be mounted')
  disk = mountSmallDisk(24)
  path = join(disk.at, 'carrel.db')
  await makeOldSqlite(path, OLD)
  // More than SQLite keeps in memory of a small database.
  const db = new DatabaseSync(path)
  const insert = db.prepare(
    "insert into events (session, seq, at, type, data) values ('ses_1', ?, 1, 'agent.update', ?)",
  )
  db.exec('begin')
  for (let seq = 1_000; seq < 1_300; seq += 1) insert.run(seq, 'x'.repeat(8_000))
  db.exec('commit')
  db.close()
})
afterEach(() => disk?.[Symbol.dispose]())

const OLD = 2

function seen(): { schema: number; events: number } {
  const db = new DatabaseSync(path)
  try {
    const get = (sql: string) => (db.prepare(sql).get() as { n: number }).n
    return {
      schema: get('select max(version) as n from schema_versions'),
      events: get('select count(*) as n from events'),
    }
  } finally {
    db.close()
  }
}

const upgrade = async (migrations: readonly Migration[] = MIGRATIONS, say?: (what: string) => void) =>
  (await openForWriting({ path, now: 1 }, migrations, say)).close()

it('U1: a disk without enough room is reported before anything is done, with the amount and the folder', async () => {
  disk.fill(1_000_000)
  const before = folderDigest(disk.at)
  const words = new RegExp(
    `The disk of ${disk.at} has [\\d.]+ [KM]iB free, and the upgrade needs up to 1\\d\\.\\d+ MiB there`,
  )
  await expect(upgrade()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(words) })
  const options = { path, copies: copiesIn(disk.at), copy: 'make', carrel: 'test', say: () => undefined } as const
  const report = await checkSqlite(options)
  expect(report).toMatchObject({ state: 'blocked', findings: [{ kind: 'space', text: expect.stringMatching(words) }] })
  expect(folderDigest(disk.at)).toEqual(before)
})

it('U1: a disk that fills up at any step leaves the data unchanged, and with room the upgrade succeeds', async () => {
  let failures = 0
  for (let at = 1, isReached = true; isReached; at += 1) {
    let steps = 0
    const step = () => {
      steps += 1
      if (steps === at) disk.fill()
    }
    const stepped = MIGRATIONS.map((migration) => ({
      ...migration,
      steps: (dialect: Dialect) =>
        migration.steps(dialect).map((each) => async (tx: Tx) => {
          step()
          await (typeof each === 'string' ? tx.run(each) : each(tx))
        }),
    }))
    const failure = await upgrade(stepped, step).then(
      () => null,
      (error: unknown) => error,
    )
    isReached = steps >= at
    disk.free()
    if (failure) {
      failures += 1
      expect(failure, `full at step ${at}`).toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(
          /The disk became full during .* nothing was changed\. The upgrade needs up to [\d.]+ MiB on the disk of/,
        ),
      })
      expect(seen(), `full at step ${at}`).toEqual({ schema: OLD, events: 330 })
      expect(readdirSync(copiesIn(disk.at)).filter((name) => name.endsWith('.part'))).toEqual([])
    } else {
      // The disk filled up at each of the earlier steps, and now at none.
      expect([isReached, failures]).toEqual([false, steps])
      expect(seen()).toEqual({ schema: MIGRATIONS.length, events: 330 })
    }
  }
  expect(failures).toBeGreaterThan(40)
  expect(listCopies(copiesIn(disk.at)).unreadable).toEqual([])
})
