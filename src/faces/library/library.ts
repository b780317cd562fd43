import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { ChildAddress, LibraryReply, LibraryRequest } from './beside.ts'
import { openHere } from './here.ts'
import type { OpenedCarrel, Served } from './opened.ts'

/**
 * Program of its own: runs Carrel for a parent program whose Node is too old. The parent starts it and sends requests
 * over the IPC channel (`beside.ts`). This process ends when the parent ends, for any reason.
 */
let opened: OpenedCarrel | null = null
const served = new Map<string, Served>()

async function answer(request: LibraryRequest): Promise<unknown> {
  if ('open' in request) return open(request.open)
  if (!opened) throw new CarrelError('bad_input', 'Carrel is not open. Open it first.')
  if ('serve' in request) {
    const server = await opened.serve(request.serve)
    served.set(server.url, server)
    const { url, loginUrl, port } = server
    return { url, loginUrl, port }
  }
  if ('unserve' in request) return served.get(request.unserve)?.close()
  return opened.close()
}

async function open(config: Extract<LibraryRequest, { open: unknown }>['open']): Promise<ChildAddress> {
  opened = await openHere(config)
  const { url } = await opened.serve({ host: '127.0.0.1', port: 0, web: false })
  return { url, token: opened.token, dataFolder: opened.dataFolder }
}

const send = (message: LibraryReply) => process.send?.(message)

process.on('message', async (message: LibraryRequest & { id: number }) => {
  const { id } = message
  try {
    send({ id, result: await answer(message) })
  } catch (error) {
    send({ id, problem: asCarrelError(error).toJSON() })
    // Without an open folder there is nothing to serve.
    if (!opened) process.disconnect?.()
  }
  if ('close' in message) process.disconnect?.()
})
process.once('disconnect', async () => {
  await opened?.close().catch((error: unknown) => console.error(error))
  process.exit(0)
})
// A terminal sends Ctrl-C to both processes; the parent decides and closes this one.
process.on('SIGINT', () => undefined)
process.once('SIGTERM', () => process.disconnect?.())
