import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'

/** Sends a CDP request over a socket of a browser and returns the answer. `PUT /json/new` opens a page. */
export function askOwn(socketPath: string, path: string, method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method, headers: { host: '127.0.0.1' } }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve(text)
    })
    sent.once('error', reject)
    sent.end()
  })
}

/** Connects as an agent does, and collects the numbers of answered commands in their order. */
export async function driveAt(url: string) {
  const { webSocketDebuggerUrl } = (await (await fetch(`${url}/json/version`)).json()) as Record<string, string>
  const socket = new WebSocket(webSocketDebuggerUrl ?? '')
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
  const waiting = new Map<number, (answer: unknown) => void>()
  const answered: number[] = []
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown }
    if (id) answered.push(id)
    waiting.get(id)?.(result)
  })
  let last = 0
  const send = (method: string, params: object = {}): Promise<unknown> => {
    last += 1
    const id = last
    const answer = new Promise((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    return answer
  }
  return { send, answered, close: () => socket.close() }
}

/** Returns the pid of Chromium's main process with its profile below `folder`; 0 for none. */
export function chromiumOf(folder: string): number {
  const found = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    const args = read(`/proc/${name}/cmdline`).split('\0')
    const own = args.some((arg) => arg.startsWith(`--user-data-dir=${folder}`))
    return own && !args.some((arg) => arg.startsWith('--type=') || arg.includes('gate.'))
  })
  return Number(found[0] ?? 0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
