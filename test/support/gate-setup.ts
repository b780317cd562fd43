import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'

/**
 * Sends a request to a browser over one of its sockets, as over its port, and returns the answer. `PUT /json/new`
 * opens a page.
 */
export function askOwn(socketPath: string, path: string, method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, headers: { host: '127.0.0.1' } }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve(text)
    })
    asked.once('error', reject)
    asked.end()
  })
}

/** Opens a connection to a browser, as its agent may, and returns answers by request number. */
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

/** Finds the main process of the Chromium whose files are below `folder`. */
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
