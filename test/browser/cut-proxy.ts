import { connect, createServer, type Socket } from 'node:net'

/** A proxy to a server that can cut all of its connections at once. */
export interface CutProxy {
  readonly url: string
  readonly host: string
  /** Cuts the open connections. With `closed` it refuses new ones until `open`. */
  cut(closed: boolean): void
  open(): void
  close(): Promise<void>
}

/** @param to called for each connection, so that the server may start later */
export async function startProxy(to: () => string): Promise<CutProxy> {
  const sockets = new Set<Socket>()
  let closed = false
  const server = createServer((near) => {
    if (closed) return void near.destroy()
    const { hostname, port } = new URL(to())
    const far = connect(Number(port), hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const cut = (shut: boolean): void => {
    closed = shut
    for (const socket of sockets) socket.destroy()
  }
  const host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url: `http://${host}`,
    host,
    cut,
    open: () => {
      closed = false
    },
    close: async () => {
      cut(true)
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
