import type { IncomingHttpHeaders } from 'node:http'
import { withoutCookies } from '../http/cookies.ts'

/** Names of Carrel's own cookies: none is forwarded to a program, and no program may set one. */
const OURS = /^(?:__host-|__secure-)?carrel_\w*$/i

/** Hop-by-hop headers, and headers that only a proxy may set. */
const NOT_PASSED_ON = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]

export interface Passage {
  /** Origin as seen by the browser, `http://web-....localhost:4747`. */
  readonly outside: string
  /**
   * Origin as seen by the program. Below localhost the same: dev servers accept it and generate right addresses.
   * Below a domain `http://localhost:<port>`: dev servers refuse unknown names.
   */
  readonly inside: string
  readonly port: number
  readonly from: string | undefined
  /** Token of this installation, never forwarded to a program. */
  readonly token: string
}

/** Rewrites the headers of a request for the program, in place. */
export function passRequest(headers: IncomingHttpHeaders, passage: Passage): void {
  const { inside, from, token } = passage
  const upgrades = headers.upgrade
  for (const name of [...namedIn(headers.connection), ...NOT_PASSED_ON]) delete headers[name]
  // Host, Origin and Referer change together, since CSRF guards of programs compare them.
  headers.host = inside.replace(/^https?:\/\//, '')
  if (headers.origin !== undefined) headers.origin = inward(headers.origin, passage)
  if (headers.referer !== undefined) headers.referer = inward(headers.referer, passage)
  if (from !== undefined) headers['x-forwarded-for'] = from
  if (headers.authorization?.includes(token)) delete headers.authorization
  const cookie = withoutCookies(headers.cookie, OURS)
  if (cookie === undefined) delete headers.cookie
  else headers.cookie = cookie
  if (upgrades?.toLowerCase() === 'websocket') Object.assign(headers, { connection: 'Upgrade', upgrade: 'websocket' })
}

/** Replaces the outer origin (http or https) of an address by the inner one. */
function inward(address: string, { outside, inside }: Passage): string {
  const [, rest = '', path = ''] = /^https?:\/\/([^/]*)(.*)$/i.exec(address) ?? []
  return `http://${rest.toLowerCase()}` === outside.replace(/^https:/, 'http:') ? inside + path : address
}

/** Rewrites the headers of an answer for the browser, in place. */
export function passAnswer(headers: IncomingHttpHeaders, { outside, port }: Passage): void {
  const upgrades = headers.upgrade
  for (const name of [...namedIn(headers.connection), 'connection', 'keep-alive', 'proxy-connection'])
    delete headers[name]
  // These headers affect more than the program's own origin.
  delete headers['clear-site-data']
  delete headers['alt-svc']
  const cookies = headers['set-cookie']?.flatMap(hostOnly) ?? []
  if (cookies.length > 0) headers['set-cookie'] = cookies
  else delete headers['set-cookie']
  const own = new RegExp(`^https?://(?:localhost|127\\.0\\.0\\.1|\\[::1\\]):${port}(?=[/?#]|$)`, 'i')
  if (headers.location !== undefined) headers.location = headers.location.replace(own, outside)
  if (upgrades !== undefined) Object.assign(headers, { connection: 'Upgrade', upgrade: upgrades })
}

/** Limits a cookie to its own host: a cookie for the domain would reach Carrel and other previews. */
function hostOnly(cookie: string): string[] {
  const [pair = '', ...attributes] = cookie.split(';')
  const name = pair.includes('=') ? pair.slice(0, pair.indexOf('=')).trim() : ''
  // A cookie without a name is sent as a bare value, which may look like one of Carrel's.
  if (OURS.test(name) || (name === '' && OURS.test(pair.replace(/^\s*=/, '').split('=', 1)[0]?.trim() ?? ''))) return []
  return [[pair, ...attributes.filter((each) => !/^\s*domain\s*(=|$)/i.test(each))].join(';')]
}

const namedIn = (connection: string | undefined): string[] =>
  (connection ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'upgrade')
