import type { ServerResponse } from 'node:http'
import type { Carrel, Output } from '../../api/index.ts'
import { RUN_WORDS, SESSION_WORDS } from '../../model/state-words.ts'
import { escaped, plainPage } from '../http/login-page.ts'

/** Page shown in place of a preview. Works without scripts. */
export interface Notice {
  readonly status: number
  readonly title: string
  readonly text: readonly string[]
  readonly link?: { readonly to: string; readonly text: string } | undefined
  readonly list?: { readonly title: string; readonly lines: readonly string[] } | undefined
  /** Reload of the page, or of another address, after `seconds`. */
  readonly again?: { readonly seconds: number; readonly to?: string } | undefined
}

export function noticePage({ title, text, link, list, again }: Notice): string {
  const parts = [
    ...text.map((paragraph) => `<p>${escaped(paragraph)}</p>`),
    link ? `<p><a href="${escaped(link.to)}">${escaped(link.text)}</a></p>` : '',
    list && list.lines.length > 0
      ? `<h2>${escaped(list.title)}</h2>\n<ul>\n${list.lines.map((line) => `<li>${escaped(line)}</li>`).join('\n')}\n</ul>`
      : '',
  ]
  const to = again?.to === undefined ? '' : `;url=${again.to}`
  const head = again ? `<meta http-equiv="refresh" content="${escaped(`${again.seconds}${to}`)}">` : ''
  return plainPage(escaped(title), parts.filter((part) => part !== '').join('\n'), head)
}

/** Sends a notice as HTML to clients that accept HTML, else as plain text. */
export function sendNotice(response: ServerResponse, notice: Notice, accept: string | undefined): void {
  const asPage = accept?.includes('text/html') === true
  const text = asPage ? noticePage(notice) : `${[notice.title, ...notice.text].join('\n')}\n`
  response.writeHead(notice.status, {
    'content-type': asPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}

export const NOT_HERE: Notice = {
  status: 404,
  title: 'Not found',
  text: ['Carrel reserves the paths below /.carrel, and this path does not exist.'],
}

export const NOT_YOURS: Notice = {
  status: 403,
  title: 'Refused',
  text: ['A preview answers only its own pages. A page of another site sent this request.'],
}

export const UNREACHABLE: Notice = {
  status: 502,
  title: 'The program did not answer',
  text: [
    'The program accepted the connection and closed it without an answer. Reload this page, or check the output of the program. Previews support http only, not https.',
  ],
}

export const goneNotice: Notice = {
  status: 404,
  title: 'This preview no longer exists',
  text: ['Its working copy and its port were removed. Carrel lists the present previews beside the runs of a session.'],
}

export const refusedNotice = (status: number, why: string): Notice => ({ status, title: 'Refused', text: [why] })

/** @param link entry to the preview; null when Carrel's address for this browser is unknown */
export const loginNotice = (link: string | null): Notice => ({
  status: 401,
  title: 'Open this from Carrel',
  text: ['This preview shows the program of an agent. Log in to Carrel and open the preview from there.'],
  link: link === null ? undefined : { to: link, text: 'Open it from Carrel' },
})

/** @param host Carrel's host as used by the browser */
export const domainNotice = (host: string): Notice => ({
  status: 503,
  title: 'Previews need their own domain',
  text: [
    `You use Carrel at ${host}. A preview needs another origin: otherwise its scripts could use your login.`,
    'Set previewDomain (or CARREL_PREVIEW_DOMAIN) to a wildcard domain of this server, such as preview.example.com, and restart Carrel.',
    'Or open Carrel as localhost: on its own machine, or through a tunnel to the same port.',
  ],
})

export const againNotice = (to: string): Notice => ({
  status: 200,
  title: 'One moment',
  text: ['Opening the preview.'],
  link: { to, text: 'Continue' },
  again: { seconds: 0, to },
})

const MOST = 5

/** Returns the notice for a port without a listener: the owner of the port and the last runs there. */
export async function silentNotice(
  carrel: Carrel,
  workspace: string,
  { place, name, port }: Output<'ports.get'>,
): Promise<Notice> {
  const { projects } = await carrel.call('projects.list', { workspace })
  const [kind, id] = place.split(':')
  const there = projects.filter((project) =>
    kind === 'project' ? project.id === id : project.space === id && project.place.kind === 'direct',
  )
  const [first] = there
  const { ports } = await carrel.call('ports.list', { workspace, ...(first ? { project: first.id } : {}) })
  const { spaces } = await carrel.call('spaces.list', { workspace })
  const space = spaces.find((each) => each.id === (kind === 'space' ? id : first?.space))
  const where = `${space?.name ?? 'A Space'}, ${named(there.map((project) => project.name))}: ${name} is port ${port}. Runs find it in CARREL_PORT_${name.toUpperCase()}.`
  const list = { title: 'Last runs', lines: await lastRuns(carrel, workspace, there) }
  if (ports.some((each) => each.place === place && each.apart))
    return {
      status: 503,
      title: `${name} is unreachable`,
      text: [
        where,
        'Its runs use the sandbox mode strict, with their own network: no preview can reach programs inside. Previews work with the mode guard.',
      ],
      list,
    }
  return {
    status: 503,
    title: `Nothing listens on ${name} yet`,
    text: [where, 'This page reloads until a program listens on 127.0.0.1 or ::1.'],
    list,
    again: { seconds: 2 },
  }
}

const named = (projects: readonly string[]): string =>
  `${projects.length > 1 ? 'projects' : 'project'} ${projects.slice(0, 3).join(', ')}`

async function lastRuns(
  carrel: Carrel,
  workspace: string,
  projects: readonly { readonly id: string }[],
): Promise<string[]> {
  const pages = await Promise.all(
    projects.slice(0, 3).map(({ id }) => carrel.call('sessions.list', { workspace, project: id, limit: MOST })),
  )
  return pages
    .flatMap(({ sessions }) => sessions)
    .filter(({ lastRun }) => lastRun !== null)
    .toSorted((one, other) => other.updatedAt - one.updatedAt)
    .slice(0, MOST)
    .map(({ name, agent, state, lastRun }) => {
      const word = lastRun?.outcome ? RUN_WORDS[lastRun.outcome] : SESSION_WORDS[state]
      return `${name} (${agent}): ${word}`
    })
}
