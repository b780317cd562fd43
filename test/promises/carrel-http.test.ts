import { describe, inject, it, onTestFinished } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { serveHttp } from '../../src/faces/http.ts'
import { openWorld } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'
import { describeCarrel } from './carrel.ts'

const server = inject('postgres')
const hasPostgres = !('skipped' in server)
if ('skipped' in server) {
  describe('Carrel over HTTP, on Postgres', () => {
    it('is promised on SQLite here, without a Postgres', ({ skip }) => skip(server.skipped))
  })
}

// Each engine and each face once: what a face does is the same on both engines, which the promises of the store hold equal.
describeCarrel(`Carrel over HTTP, on ${hasPostgres ? 'Postgres' : 'SQLite'}`, async (settings) => {
  const world = await openWorld({ ...settings, databaseUrl: hasPostgres ? await newDatabase() : null })
  const http = await serveHttp(world.engine, { host: '127.0.0.1', port: 0, version: 'test', webFolder: null })
  onTestFinished(() => http.close())
  const { token } = world.engine
  const carrel = connect({ url: http.url, token })
  return {
    ...world,
    carrel,
    as: ({ face }) => connect({ url: http.url, token, face: face === 'cli' ? 'cli' : 'api' }),
    session: (options) => world.session({ ...options, carrel }),
  }
})

async function newDatabase(): Promise<string> {
  const database = await createDatabase()
  if ('skipped' in database) throw new Error(database.skipped)
  onTestFinished(database.drop)
  return database.url
}
