import type { Carrel, Output } from '../../api/index.ts'
import type { Notice } from './pages.ts'

export const NOT_HERE: Notice = {
  status: 404,
  title: 'There is nothing here',
  says: ['Paths that begin with /.carrel are Carrel’s own, and this is none of them.'],
}

export const NOT_YOURS: Notice = {
  status: 403,
  title: 'Refused',
  says: ['A preview answers its own pages only. This was asked by a page of another address.'],
}

export const UNREACHABLE: Notice = {
  status: 502,
  title: 'What listens there did not answer',
  says: [
    'It took the connection and closed it before it had answered. Load this again, or look at what it wrote; a program that speaks only https is not understood.',
  ],
}

export const goneNotice: Notice = {
  status: 404,
  title: 'This preview is gone',
  says: ['Its place was taken away, and its port with it. Carrel lists those there are beside the runs of a session.'],
}

export const refusedNotice = (status: number, why: string): Notice => ({ status, title: 'Refused', says: [why] })

/** @param link to the way in, null where it is not known what Carrel is called there */
export const loginNotice = (link: string | null): Notice => ({
  status: 401,
  title: 'Open this from Carrel',
  says: ['This is a preview of what an agent’s program shows. It opens for those who come from Carrel, logged in.'],
  link: link === null ? undefined : { to: link, text: 'Open it from Carrel' },
})

/** @param host as somebody reached Carrel */
export const domainNotice = (host: string): Notice => ({
  status: 503,
  title: 'Previews need a name of their own',
  says: [
    `You reached Carrel as ${host}, and what an agent’s program shows must not stand at the same address: its scripts could use your login.`,
    'Set previewDomain to a domain below which every name leads to this server, such as preview.example.com, and start Carrel again. CARREL_PREVIEW_DOMAIN does the same.',
    'Or reach Carrel as localhost: on its own machine, or through a tunnel to the same port.',
  ],
})

export const againNotice = (to: string): Notice => ({
  status: 200,
  title: 'One moment',
  says: ['The preview is being opened.'],
  link: { to, text: 'Go on' },
  again: { seconds: 0, to },
})

/** How many sessions are named. */
const MOST = 5

/** Nobody listens there: whose port it is, and what was done there last. */
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
  const title = `Nothing listens on ${name} yet`
  const { spaces } = await carrel.call('spaces.list', { workspace })
  const space = spaces.find((each) => each.id === (kind === 'space' ? id : first?.space))
  const where = `${space?.name ?? 'A Space'}, ${named(there.map((project) => project.name))}: ${name} is port ${port}. Runs find it in CARREL_PORT_${name.toUpperCase()}.`
  const list = { title: 'What ran there last', lines: await ranIn(carrel, workspace, there) }
  if (ports.some((each) => each.place === place && each.apart))
    return {
      status: 503,
      title: `${name} cannot be reached from here`,
      says: [
        where,
        'Runs there are in the sandbox strict, which has a network of its own: what listens inside is reached by nobody outside. In guard it is reached.',
      ],
      list,
    }
  return {
    status: 503,
    title,
    says: [where, 'This page tries again by itself, until a program listens there on 127.0.0.1 or ::1.'],
    list,
    again: { seconds: 2 },
  }
}

const named = (projects: readonly string[]): string =>
  `${projects.length > 1 ? 'projects' : 'project'} ${projects.slice(0, 3).join(', ')}`

async function ranIn(
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
    .map(({ name, agent, state, lastRun }) => `${name} (${agent}): ${lastRun?.outcome ?? state}`)
}
