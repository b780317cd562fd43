import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { createDatabase } from '../support/database.ts'
import { describeStore } from './store.ts'

describeStore('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-store-'))
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const close = async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { store, close }
})

describeStore('Postgres', async () => {
  const database = await createDatabase()
  if ('skipped' in database) return database
  const store = await openPostgres({ url: database.url })
  const close = async () => {
    await store.close()
    await database.drop()
  }
  return { store, close }
})
