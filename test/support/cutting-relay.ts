import { connect, createServer, type Socket } from 'node:net'

/** A relay in front of a Postgres server, which cuts connections as a failing network or a restart does. */
export interface CuttingRelay {
  /** The address of the server through the relay. */
  readonly url: string
  /** Cuts all connections at once. New ones are accepted. */
  cut(): void
  /** Cuts all connections and refuses new ones until `up`. */
  down(): void
  up(): void
  /** Cuts each of the next `count` connections that commit, between the commit and its answer. */
  loseCommits(count: number): void
  /** Commits whose answer was lost so far. */
  readonly lost: number
  close(): Promise<void>
}

export async function openCuttingRelay(server: string): Promise<CuttingRelay> {
  const { hostname, port } = new URL(server)
  const open = new Set<Socket>()
  let refuses = false
  let toLose = 0
  let lost = 0
  const relay = createServer((near) => {
    if (refuses) return void near.resetAndDestroy()
    const far = connect(Number(port), hostname)
    const both = [near, far]
    let committing = false
    for (const socket of both) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        for (const other of both) other.destroy()
      })
    }
    near.on('data', (chunk) => {
      committing = toLose > 0 && chunk.includes('commit\0')
      if (committing) toLose -= 1
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (!committing) return void near.write(chunk)
      lost += 1
      near.resetAndDestroy()
    })
  })
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const address = relay.address()
  const url = new URL(server)
  url.host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url: url.href,
    cut,
    down() {
      refuses = true
      cut()
    },
    up() {
      refuses = false
    },
    loseCommits(count) {
      toLose = count
    },
    get lost() {
      return lost
    },
    close: () =>
      new Promise((resolve) => {
        relay.close(() => resolve())
        cut()
      }),
  }
}
