import { describe, inject, it } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { serveHttp } from '../../src/faces/http/http.ts'
import type { Config } from '../../src/model/settings/config.ts'
import { type AtEnd, makeTestFolder, openWorld, type World } from '../support/carrel-world.ts'
import { createDatabase } from '../support/database.ts'
import { inLongRuns } from '../support/long.ts'
import { sharing } from '../support/shared-world.ts'
import { describeCarrel } from './carrel.ts'

const server = inject('postgres')
const hasPostgres = !('skipped' in server)
if ('skipped' in server) {
  describe('Carrel over HTTP, on Postgres', () => {
    it('Carrel runs on SQLite here, without a Postgres', ({ skip }) => skip(server.skipped))
  })
}

/**
 * Opens each engine and each face once: a face does the same on both engines, whose equality the store's contracts
 * check.
 */
async function openFar(settings: Partial<Config>, atEnd: AtEnd): Promise<World> {
  const databaseUrl = hasPostgres ? await newDatabase(atEnd) : null
  const world = await openWorld({ ...settings, databaseUrl }, {}, makeTestFolder({}, atEnd), atEnd)
  const http = await serveHttp(world.engine, { host: '127.0.0.1', port: 0, version: 'test', webFolder: null })
  atEnd(() => http.close())
  const { token } = world.engine
  const carrel = connect({ url: http.url, token })
  return {
    ...world,
    carrel,
    as: ({ face }) => connect({ url: http.url, token, face: face === 'cli' ? 'cli' : 'api' }),
    session: (options) => world.session({ ...options, carrel }),
  }
}

async function newDatabase(atEnd: AtEnd): Promise<string> {
  const database = await createDatabase()
  if ('skipped' in database) throw new Error(database.skipped)
  atEnd(database.drop)
  return database.url
}

describeCarrel(`Carrel over HTTP, on ${hasPostgres ? 'Postgres' : 'SQLite'}`, sharing(openFar), inLongRuns)
