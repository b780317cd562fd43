// biome-ignore lint/suspicious/noExplicitAny: what a version answers is known to that version only
export type Row = Record<string, any>

/** The operations of any version of Carrel: older versions lack some, and their answers lack fields. */
export interface Verbs {
  call(name: string, input: Row): Promise<Row>
}

/** The content of a data folder as its operations return it, by names: identifiers and times are absent. */
export interface Facts {
  readonly workspaces: readonly WorkspaceFacts[]
}

interface WorkspaceFacts {
  readonly id: string
  readonly name: string
  /** `placed`: a machine has the Space. Absent in versions without machines. */
  readonly spaces: readonly { name: string; kind: string; folder: string; placed?: boolean }[]
  readonly projects: readonly { name: string; space: string; place: string; path: string; branch: string | null }[]
  readonly sessions: readonly SessionFacts[]
  readonly questions: readonly { session: string; title: string; state: string; answer: unknown }[]
  readonly rules: readonly Record<string, unknown>[]
  /** Absent in versions without the operation. */
  readonly secrets?: readonly { name: string; scope: string; give: unknown; readable: boolean }[]
  readonly environments?: Readonly<Record<string, unknown>>
  readonly fileRules?: Readonly<Record<string, unknown>>
  readonly ports?: readonly { name: string; port: number }[]
  readonly files?: Readonly<Record<string, FileFacts>>
}

interface SessionFacts {
  readonly name: string
  readonly project: string
  readonly agent: string
  readonly state: string
  readonly questions: number
  readonly queued: number
  readonly forkedFrom: string | null
  readonly closed: boolean
  readonly archived: boolean
  readonly events: number
  /** `completed`, or `started` for a run without an end; oldest first. */
  readonly runs: readonly string[]
  /** A line for each item whose meaning never changed. */
  readonly transcript: readonly string[]
}

interface FileFacts {
  /** Path, author and number of content changes of each file; newest first. */
  readonly changes: readonly string[]
  readonly acts: readonly string[]
}

/**
 * Reads the facts through `verbs`. `has` tells which operations this version serves; `root` is removed from the
 * paths. Safe to repeat: writes nothing.
 */
export async function readFacts(verbs: Verbs, has: (verb: string) => boolean, root: string): Promise<Facts> {
  const { workspaces } = await verbs.call('workspaces.list', {})
  const read = (workspace: Row) => readWorkspace(verbs, has, workspace, (path) => path.replaceAll(root, ''))
  const found = []
  for (const workspace of byName(workspaces)) found.push(await read(workspace))
  return { workspaces: found }
}

async function readWorkspace(
  verbs: Verbs,
  has: (verb: string) => boolean,
  { id, name }: Row,
  local: (path: string) => string,
): Promise<WorkspaceFacts> {
  const at = { workspace: id }
  const all = async (noun: string) => {
    const page = noun === 'sessions' ? { limit: 200 } : {}
    const lists = await inTurn([false, true], (archived) => verbs.call(`${noun}.list`, { ...at, archived, ...page }))
    return byName([...new Map(lists.flatMap((list) => list[noun]).map((row: Row) => [row.id, row])).values()])
  }
  const [spaces = [], projects = [], sessions = []] = await inTurn(['spaces', 'projects', 'sessions'], all)
  const { interactions } = await verbs.call('interactions.list', { ...at, limit: 200 })
  const { rules } = await verbs.call('rules.list', at)
  const nameOf = (noun: Row[], wanted: string) => noun.find((each) => each.id === wanted)?.name ?? null
  const read = (session: Row) => readSession(verbs, session, projects, nameOf(sessions, session.forkedFrom?.session))
  const rulesVerb = ['fileRules.get', 'contention.get'].find(has)
  const scopes = { ...at, spaces, projects }
  return {
    id,
    name,
    spaces: spaces.map(({ name, kind, folder, machine }) => ({
      ...{ name, kind, folder: withoutIds(local(folder)) },
      ...(has('machines.list') && { placed: machine !== null }),
    })),
    projects: projects.map(({ name, space, place }) => ({
      name,
      space: nameOf(spaces, space),
      place: `${place.kind} ${place.state ?? 'ready'}`,
      path: withoutIds(local(place.path)),
      branch: place.branch ?? null,
    })),
    sessions: await inTurn(sessions, read),
    questions: (interactions as Row[])
      .map(({ session, question, state, answer }) => ({
        session: nameOf(sessions, session),
        title: question.title,
        state,
        answer,
      }))
      .toSorted((a, b) => compare(a.session + a.title, b.session + b.title)),
    rules: (rules as Row[]).map(({ id: _, createdAt: __, workspace: ___, space, ...rest }) => ({
      ...rest,
      space: nameOf(spaces, space),
    })),
    ...(has('secrets.list') && { secrets: await readSecrets(verbs, scopes) }),
    ...((has('environment.get') || has('surroundings.get')) && {
      environments: await readEnvironments(
        verbs,
        scopes,
        has('environment.get') ? 'environment.get' : 'surroundings.get',
      ),
    }),
    ...(rulesVerb && { fileRules: await readFileRules(verbs, at, spaces, rulesVerb) }),
    ...(has('ports.list') && { ports: await readPorts(verbs, at) }),
    ...(has('history.status') && { files: await readFiles(verbs, at, projects, sessions) }),
  }
}

async function readSession(
  verbs: Verbs,
  { workspace, id, ...row }: Row,
  projects: Row[],
  forkedFrom: string | null,
): Promise<SessionFacts> {
  const { items } = await verbs.call('sessions.view', { workspace, id, limit: 500 })
  const { runs } = await verbs.call('runs.list', { workspace, session: id, limit: 200 })
  const { head } = await verbs.call('sessions.events', { workspace, id, limit: 1 })
  return {
    name: row.name,
    project: projects.find((project) => project.id === row.project)?.name,
    agent: row.agent,
    state: row.state,
    questions: row.questions,
    queued: row.queued,
    forkedFrom,
    closed: row.closedAt !== null,
    archived: row.archivedAt !== null,
    events: head,
    runs: (runs as Row[]).toReversed().map((run) => run.outcome ?? run.state),
    transcript: (items as Row[]).flatMap(lineOf),
  }
}

function lineOf(item: Row): string[] {
  switch (item.kind) {
    case 'run':
      return [`asked: ${item.content.map((block: Row) => block.text ?? block.type).join(' ')}`]
    case 'message':
      return [`${item.role}: ${item.text}`]
    case 'thought':
      return [`thought: ${item.text}`]
    case 'tool':
      return [`tool: ${item.title} (${item.status})`]
    case 'question':
      return [`question: ${item.question.title} (${item.state})`]
    case 'plan':
      return [`plan: ${item.entries.map((entry: Row) => `${entry.content} (${entry.status})`).join(', ')}`]
    default:
      return []
  }
}

interface Scopes {
  readonly workspace: string
  readonly spaces: readonly Row[]
  readonly projects: readonly Row[]
}

const scopesOf = ({ spaces, projects }: Scopes): [string, Row][] => [
  ['workspace', {}],
  ...spaces.map(({ id, name }): [string, Row] => [`space ${name}`, { space: id }]),
  ...projects.map(({ id, name }): [string, Row] => [`project ${name}`, { project: id }]),
]

async function readSecrets(verbs: Verbs, scopes: Scopes) {
  const { secrets } = await verbs.call('secrets.list', { workspace: scopes.workspace })
  const named = (secret: Row) =>
    scopesOf(scopes).find(
      ([, { space, project }]) => (project ?? space) === (secret.project ?? secret.space ?? undefined),
    )
  return (secrets as Row[])
    .map((secret) => ({
      name: secret.name as string,
      scope: named(secret)?.[0] ?? 'nowhere',
      give: secret.give as unknown,
      readable: secret.readable as boolean,
    }))
    .toSorted((a, b) => compare(a.name + a.scope, b.name + b.scope))
}

/** Reads environment settings. The old true and false became `own` and `none`: the same fact. */
async function readEnvironments(verbs: Verbs, scopes: Scopes, verb: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const [name, scope] of scopesOf(scopes)) {
    const { own } = await verbs.call(verb, {
      workspace: scopes.workspace,
      ...scope,
    })
    if (Object.keys(own).length > 0) found[name] = own.browser === false ? { ...own, browser: 'none' } : own
  }
  return found
}

/**
 * Reads the file rules of each Space; of the list of paths only entries that Carrel does not ship, under today's
 * name.
 */
async function readFileRules(verbs: Verbs, at: Row, spaces: Row[], verb: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const { id, name } of spaces) {
    const { rules, defaults, changed } = await verbs.call(verb, { ...at, id })
    const [own, shipped] = [rules, defaults].map(({ paths, contention }: Row) => paths ?? contention)
    const added = own.filter((rule: Row) => !shipped.some((each: Row) => each.glob === rule.glob))
    if (changed) found[name] = { ignore: rules.ignore, maxFileBytes: rules.maxFileBytes, paths: added }
  }
  return found
}

async function readPorts(verbs: Verbs, at: Row) {
  const { ports } = await verbs.call('ports.list', at)
  return (ports as Row[]).map(({ name, port }) => ({ name: name as string, port: port as number }))
}

async function readFiles(verbs: Verbs, at: Row, projects: Row[], sessions: Row[]): Promise<Record<string, FileFacts>> {
  const found: Record<string, FileFacts> = {}
  for (const { id, name } of projects) {
    const status = await verbs.call('history.status', { ...at, project: id })
    if (status.n === 0) continue
    const authorOf = (author: Row) =>
      author.kind === 'run' ? sessions.find((session) => session.id === author.session)?.name : author.kind
    const { changes } = await verbs.call('history.changes', { ...at, project: id, from: 0 })
    const { acts } = await verbs.call('acts.list', { ...at, project: id })
    found[name] = {
      changes: (changes as Row[])
        .map(({ path, author, after }) => `${path} by ${authorOf(author)}: ${contentOf(after)}`)
        .toSorted(compare),
      acts: (acts as Row[]).map((act) => act.request?.kind ?? act.kind),
    }
  }
  return found
}

const contentOf = (state: Row | null): string => state?.digest?.slice(0, 16) ?? state?.kind ?? 'gone'
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const byName = (rows: Row[]): Row[] => rows.toSorted((a, b) => compare(a.name, b.name))
const withoutIds = (path: string): string => path.replace(/\b(spc|prj)_[0-9a-z]+/g, '$1_ID')

async function inTurn<T, R>(each: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
  const found: R[] = []
  for (const one of each) found.push(await act(one))
  return found
}
