import { existsSync } from 'node:fs'

/** The quick one where it is, else a whole one; null where there is none. */
export function browserHere(): string | null {
  const known = [
    process.env.CARREL_CHROMIUM ?? '',
    '/usr/lib/chromium/chromium-headless-shell',
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/google-chrome',
  ]
  return known.find((path) => path !== '' && existsSync(path)) ?? null
}

/** Opens a page in the browser at `url` and says what an expression is there. */
export async function cdp(url: string, expression: string, page: string): Promise<unknown> {
  const asked = await fetch(`${url}/json/new?${encodeURIComponent(page)}`, { method: 'PUT' })
  const { webSocketDebuggerUrl } = (await asked.json()) as { webSocketDebuggerUrl: string }
  const socket = new WebSocket(webSocketDebuggerUrl)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  const ask = (method: string, params: object) =>
    new Promise<{ result?: { value: unknown } } | undefined>((resolve) => {
      socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)).result)
      socket.send(JSON.stringify({ id: 1, method, params }))
    })
  try {
    for (;;) {
      const ready = 'document.readyState === "complete" && location.href !== "about:blank"'
      if ((await ask('Runtime.evaluate', { expression: ready }))?.result?.value === true) break
    }
    return (await ask('Runtime.evaluate', { expression }))?.result?.value
  } finally {
    socket.close()
  }
}
