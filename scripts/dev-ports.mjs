import { createServer } from 'node:net'

/** Resolves with the port, with a free one for 0, or with null when the port is taken. */
export function tryPort(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)))
    probe.listen({ port, host: '127.0.0.1' }, () => {
      const { port: chosen } = probe.address()
      probe.close(() => resolve(chosen))
    })
  })
}
