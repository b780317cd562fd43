import { describe, inject, it, onTestFinished } from 'vitest'
import { openWorld } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'
import { describeCarrel } from './carrel.ts'

const server = inject('postgres')
if ('skipped' in server) {
  describe('Carrel in process, on Postgres', () => {
    it.skip(server.skipped, () => {})
  })
} else {
  describeCarrel('Carrel in process, on Postgres', async (settings) => {
    const database = await createDatabase()
    if ('skipped' in database) throw new Error(database.skipped)
    onTestFinished(database.drop)
    return await openWorld({ ...settings, databaseUrl: database.url })
  })
}
