import { connect, createServer } from 'node:net'

/** Port range below the ports for outgoing connections, and away from the usual defaults of servers. */
export const FIRST_PORT = 20_000
export const PORT_COUNT = 10_000
const LOOPBACKS = ['127.0.0.1', '::1'] as const

/** Returns unused ports, searched from a number on. None is reserved: the first program that binds it has it. */
export async function freePorts(from: number, count: number, taken: ReadonlySet<number>): Promise<number[]> {
  const free: number[] = []
  for (let step = 0; step < PORT_COUNT && free.length < count; step += 1) {
    const port = FIRST_PORT + ((from + step) % PORT_COUNT)
    if (!taken.has(port) && (await isFree(port))) free.push(port)
  }
  return free
}

async function isFree(port: number): Promise<boolean> {
  for (const host of LOOPBACKS) if (!(await canBind(port, host))) return false
  return true
}

/** Whether a port is free at an address. A machine without IPv6 has no `::1`, so no program can use it there. */
function canBind(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'),
    )
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether a program accepts connections on the port now. */
export async function isListening(port: number): Promise<boolean> {
  const answers = await Promise.all(LOOPBACKS.map((host) => answersAt(port, host)))
  return answers.includes(true)
}

function answersAt(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 500 })
    const settle = (answers: boolean) => {
      socket.destroy()
      resolve(answers)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}
