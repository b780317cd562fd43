import { onTestFinished } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { serveHttp } from '../../src/faces/http.ts'
import { openWorld } from '../support/carrel-world.ts'
import { describeCarrel } from './carrel.ts'

describeCarrel('Carrel over HTTP, on SQLite', async (settings) => {
  const world = await openWorld(settings)
  const server = await serveHttp(world.engine, { host: '127.0.0.1', port: 0, version: 'test', webFolder: null })
  onTestFinished(() => server.close())
  const { token } = world.engine
  const carrel = connect({ url: server.url, token })
  return {
    ...world,
    carrel,
    as: ({ face }) => connect({ url: server.url, token, face: face === 'cli' ? 'cli' : 'api' }),
    session: (options) => world.session({ ...options, carrel }),
  }
})
