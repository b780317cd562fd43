import type { IncomingHttpHeaders } from 'node:http'
import { withoutCookies } from '../http/cookies.ts'

/** Cookies with such names are Carrel's: none goes on to a program, and no program sets one. */
const OURS = /^(?:__host-|__secure-)?carrel_\w*$/i

/** Between two ends of one connection; and what only a proxy may say of where a request came from. */
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
  /** The origin that the browser sees, `http://web-....localhost:4747`. */
  readonly outside: string
  /**
   * The origin that the program is told. Below localhost the same, which dev servers accept and which makes their
   * addresses right. Below a domain `http://localhost:<port>`: they refuse names they do not know.
   */
  readonly inside: string
  /** The port it listens on. */
  readonly port: number
  /** The address of who asks. */
  readonly from: string | undefined
  /** The token of this installation: no program may see it. */
  readonly token: string
}

/** Makes of a browser's headers what a program may see. Changes them in place. */
export function passRequest(headers: IncomingHttpHeaders, passage: Passage): void {
  const { inside, from, token } = passage
  const upgrades = headers.upgrade
  for (const name of [...namedIn(headers.connection), ...NOT_PASSED_ON]) delete headers[name]
  // `inside` and `outside` differ by what stands in front, so both are changed the same way: guards compare them.
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

/** What names the outer origin, with http or https, names the inner one then. */
function inward(address: string, { outside, inside }: Passage): string {
  const [, rest = '', path = ''] = /^https?:\/\/([^/]*)(.*)$/i.exec(address) ?? []
  return `http://${rest.toLowerCase()}` === outside.replace(/^https:/, 'http:') ? inside + path : address
}

/** Makes of a program's headers what a browser may see. Changes them in place. */
export function passAnswer(headers: IncomingHttpHeaders, { outside, port }: Passage): void {
  const upgrades = headers.upgrade
  for (const name of [...namedIn(headers.connection), 'connection', 'keep-alive', 'proxy-connection'])
    delete headers[name]
  // Clears, or leads elsewhere, more than the one origin that is the program's.
  delete headers['clear-site-data']
  delete headers['alt-svc']
  const cookies = headers['set-cookie']?.flatMap(hostOnly) ?? []
  if (cookies.length > 0) headers['set-cookie'] = cookies
  else delete headers['set-cookie']
  const own = new RegExp(`^https?://(?:localhost|127\\.0\\.0\\.1|\\[::1\\]):${port}(?=[/?#]|$)`, 'i')
  if (headers.location !== undefined) headers.location = headers.location.replace(own, outside)
  if (upgrades !== undefined) Object.assign(headers, { connection: 'Upgrade', upgrade: upgrades })
}

/** A cookie for a whole domain would reach Carrel and other previews, so each is of its own host. */
function hostOnly(cookie: string): string[] {
  const [pair = '', ...attributes] = cookie.split(';')
  const name = pair.includes('=') ? pair.slice(0, pair.indexOf('=')).trim() : ''
  // A cookie without a name is sent as its bare value, which may look like one of ours.
  if (OURS.test(name) || (name === '' && OURS.test(pair.replace(/^\s*=/, '').split('=', 1)[0]?.trim() ?? ''))) return []
  return [[pair, ...attributes.filter((each) => !/^\s*domain\s*(=|$)/i.test(each))].join(';')]
}

const namedIn = (connection: string | undefined): string[] =>
  (connection ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'upgrade')
