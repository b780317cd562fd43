import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { Answer, Ask, Beside } from './beside.ts'
import { openHere } from './here.ts'
import type { OpenedCarrel, Served } from './opened.ts'

/**
 * A program of its own: Carrel for a program whose Node is too old for it, which has started this and talks over their
 * channel (`beside.ts`). When that program ends, however it does, so does this.
 */
let opened: OpenedCarrel | null = null
const served = new Map<string, Served>()

async function answer(ask: Ask): Promise<unknown> {
  if ('open' in ask) return open(ask.open)
  if (!opened) throw new CarrelError('bad_input', 'Carrel is not open. Open it first.')
  if ('serve' in ask) {
    const server = await opened.serve(ask.serve)
    served.set(server.url, server)
    const { url, loginUrl, port } = server
    return { url, loginUrl, port }
  }
  if ('unserve' in ask) return served.get(ask.unserve)?.close()
  return opened.close()
}

async function open(config: Extract<Ask, { open: unknown }>['open']): Promise<Beside> {
  opened = await openHere(config)
  const { url } = await opened.serve({ host: '127.0.0.1', port: 0, web: false })
  return { url, token: opened.token, dataFolder: opened.dataFolder }
}

const send = (message: Answer) => process.send?.(message)

process.on('message', async (message: Ask & { id: number }) => {
  const { id } = message
  try {
    send({ id, result: await answer(message) })
  } catch (error) {
    send({ id, problem: asCarrelError(error).toJSON() })
    // A folder that could not be opened leaves nothing to serve.
    if (!opened) process.disconnect?.()
  }
  if ('close' in message) process.disconnect?.()
})
process.once('disconnect', async () => {
  await opened?.close().catch((error: unknown) => console.error(error))
  process.exit(0)
})
// A terminal sends Ctrl-C to both; the program decides what it means and closes this.
process.on('SIGINT', () => undefined)
process.once('SIGTERM', () => process.disconnect?.())
