import { openEngine } from '../../src/engine/open.ts'
import { serveHttp } from '../../src/faces/http/http.ts'
import { startBuiltPrograms } from './built.ts'

/**
 * A server in a process of its own, for tests that kill it. Takes settings as JSON, prints its address as one line of
 * JSON, stops cleanly on SIGTERM, and does not outlive the test that started it. `page` adds the built page.
 */
startBuiltPrograms()
const settings = JSON.parse(process.argv[2] ?? '{}')
const engine = await openEngine(settings)
const server = await serveHttp(engine, {
  host: '127.0.0.1',
  port: settings.port ?? 0,
  version: 'test',
  webFolder: process.argv[3] === 'page' ? undefined : null,
})
process.once('SIGTERM', async () => {
  await server.close()
  await engine.close()
  process.exit(0)
})
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume()
process.stdout.write(`${JSON.stringify({ url: server.url, token: engine.token })}\n`)
