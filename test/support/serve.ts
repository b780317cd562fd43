import { openEngine } from '../../src/engine/open.ts'
import { serveHttp } from '../../src/faces/http/http.ts'
import { startBuiltPrograms } from './built.ts'

/**
 * A server of its own process, for stories that kill it for real. Takes its settings as JSON, says where it is as one
 * line of JSON, stops cleanly on SIGTERM, and does not outlive the test that started it. With `page` it has the built page.
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
