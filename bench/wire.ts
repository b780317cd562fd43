import http from 'node:http'

/** Where a server listens and how it knows us. */
export interface Address {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Keeps connections: what is measured is the server and not the handshake. */
const agent = new http.Agent({ keepAlive: true, maxSockets: 512 })

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** Sends one request over a kept connection. Rejects for any status but 2xx. */
export function send(address: Address, method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | number> = { ...address.headers }
    if (body !== undefined) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = Buffer.byteLength(body)
    }
    const request = http.request(`${address.url}${path}`, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status >= 200 && status < 300) resolve({ status, headers: response.headers, text })
        else reject(new Error(`${method} ${path} was answered ${status}: ${text.slice(0, 300)}`))
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

export interface Stream {
  close(): void
}

/**
 * Opens an event stream on a connection of its own and hands on its text as it comes, cut wherever the network cut it.
 * Resolves when the head of the answer is there.
 */
export function listen(address: Address, path: string, onText: (text: string) => void): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { ...address.headers, accept: 'text/event-stream' }
    const request = http.request(`${address.url}${path}`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        request.destroy()
        reject(new Error(`GET ${path} was answered ${response.statusCode}`))
        return
      }
      response.setEncoding('utf8')
      response.on('data', onText)
      response.on('error', () => undefined)
      resolve({ close: () => request.destroy() })
    })
    request.on('error', reject)
    request.end()
  })
}

export const closeKept = (): void => agent.destroy()
