import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type HttpWorld, openHttpWorld } from '../support/http-world.ts'

/** A reverse proxy in front of a server, as `docs/guides/reverse-proxy.md` shows it, with compression of everything. */
interface Proxy {
  readonly program: string
  /** Writes the settings into `folder`. Returns the arguments that start the proxy in the foreground. */
  settle(folder: string, port: number, upstream: number): string[]
}

const PATH = `${process.env.PATH}:/usr/sbin`

const CADDY: Proxy = {
  program: 'caddy',
  settle(folder, port, upstream) {
    const path = join(folder, 'Caddyfile')
    const site = `http://127.0.0.1:${port} {\n  encode gzip\n  reverse_proxy 127.0.0.1:${upstream}\n}\n`
    writeFileSync(path, `{\n  admin off\n  auto_https off\n}\n${site}`)
    return ['run', '--config', path]
  },
}

const NGINX: Proxy = {
  program: 'nginx',
  settle(folder, port, upstream) {
    const path = join(folder, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(folder, name)};`)
      .join('\n')
    writeFileSync(
      path,
      `daemon off;
      ${process.getuid?.() === 0 ? 'user root;' : ''}
      pid ${join(folder, 'pid')};
      error_log stderr;
      events {}
      http {
        ${temporary}
        access_log off;
        gzip on;
        gzip_proxied any;
        gzip_min_length 1;
        gzip_types text/event-stream;
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://127.0.0.1:${upstream};
            proxy_set_header Host $http_host;
            proxy_http_version 1.1;
          }
        }
      }`,
    )
    return ['-p', folder, '-c', path, '-e', 'stderr']
  },
}

const here = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], {
      env: { PATH },
    })
    return true
  } catch {
    return false
  }
}

let world: HttpWorld | null = null
let proxy: ChildProcess | null = null
const folders: string[] = []
afterEach(async () => {
  proxy?.kill('SIGKILL')
  await world?.close()
  proxy = world = null
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Follows a session through the proxy as a browser does, which takes gzip. Collects the text of the stream. */
function follow(port: number, path: string, token: string) {
  const heard = { text: '', headers: {} as Record<string, unknown> }
  const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip, br', accept: 'text/event-stream' }
  const request = get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
    heard.headers = response.headers
    response.setEncoding('utf8').on('data', (chunk: string) => {
      heard.text += chunk
    })
    response.on('error', () => undefined)
  })
  request.on('error', () => undefined)
  return { heard, stop: () => request.destroy() }
}

describe.each([CADDY, NGINX])('behind $program', ({ program, settle }) => {
  it('L6: each event arrives at once, also where the proxy compresses', async ({ skip }) => {
    if (!here(program)) return skip(`${program} is not installed on this machine`)
    const folder = mkdtempSync(join(tmpdir(), 'carrel-proxy-'))
    folders.push(folder)
    mkdirSync(join(folder, 'home'))
    const port = await freePort()
    world = await openHttpWorld({ allowedHosts: [`127.0.0.1:${port}`] })
    const session = await world.newSession()
    await world.grow(session, 60)
    proxy = spawn(program, settle(folder, port, world.server.port), {
      env: { PATH, HOME: join(folder, 'home') },
      stdio: 'ignore',
    })
    await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/`), 20_000)
    const path = `/api/v1/workspaces/default/sessions/${session}/follow`
    const { heard, stop } = follow(port, path, world.engine.token)
    const count = () => heard.text.split('event: session\n').length - 1
    await vi.waitFor(() => expect(heard.text).toContain('event: caught-up'), 20_000)
    const before = count()
    expect(before).toBeGreaterThanOrEqual(60)
    await world.grow(session, 1)
    await vi.waitFor(() => expect(count()).toBe(before + 1), 20_000)
    stop()
  }, 60_000)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
