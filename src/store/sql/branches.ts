import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { DeletePreview } from '../../model/tree.ts'
import type { WorkspaceChange } from '../../model/workspace-log.ts'
import type { Branch } from '../store.ts'
import type { Row, Tx, Value } from './tx.ts'
import { noWorkspace, tell } from './workspace-lines.ts'

/** The rows of a branch, by conditions on each table that share their values. */
interface Selection {
  readonly spaces: string
  readonly projects: string
  readonly sessions: string
  readonly values: Value[]
}

const NONE = '1 = 0'

function select(workspace: WorkspaceId, what: Branch): Selection {
  const inside = 'workspace = $1'
  if ('workspace' in what) return { spaces: inside, projects: inside, sessions: inside, values: [workspace] }
  if ('space' in what) {
    const below = `${inside} and space = $2`
    return { spaces: `${inside} and id = $2`, projects: below, sessions: below, values: [workspace, what.space] }
  }
  if ('project' in what) {
    const sessions = `${inside} and project = $2`
    return { spaces: NONE, projects: `${inside} and id = $2`, sessions, values: [workspace, what.project] }
  }
  return { spaces: NONE, projects: NONE, sessions: `${inside} and id = $2`, values: [workspace, what.session] }
}

export async function preview(
  tx: Tx,
  { workspace, what }: { workspace: WorkspaceId; what: Branch },
): Promise<DeletePreview> {
  await checkThere(tx, workspace, what, '')
  return count(tx, select(workspace, what))
}

async function count(tx: Tx, { spaces, projects, sessions, values }: Selection): Promise<DeletePreview> {
  const places = spaces === NONE ? [] : await tx.all<Row>(`select kind, folder from spaces where ${spaces}`, ...values)
  const lines = projects === NONE ? 0 : await counted(tx, `projects where ${projects}`, values)
  const events = await tx.get<{ n: number; events: number | null }>(
    `select count(*) as n, cast(sum(head) as bigint) as events from sessions where ${sessions}`,
    ...values,
  )
  const busy = await tx.all<{ name: string }>(
    `select name from sessions where ${sessions} and run_state is not null order by name`,
    ...values,
  )
  return {
    spaces: places.length,
    projects: lines,
    sessions: events?.n ?? 0,
    events: events?.events ?? 0,
    folders: places.filter(({ kind }) => kind === 'blank').map(({ folder }) => folder as string),
    busy: busy.map(({ name }) => name),
  }
}

async function counted(tx: Tx, from: string, values: Value[]): Promise<number> {
  const row = await tx.get<{ n: number }>(`select count(*) as n from ${from}`, ...values)
  return row?.n ?? 0
}

/** Locks from the top of the tree down, like everybody who adds to it. */
export async function remove(
  tx: Tx,
  { workspace, what, now }: { workspace: WorkspaceId; what: Branch; now: number },
): Promise<DeletePreview> {
  await checkThere(tx, workspace, what, tx.dialect.forUpdate)
  const selection = select(workspace, what)
  const { spaces, projects, sessions, values } = selection
  const lock = tx.dialect.forUpdate
  const idsOf = async (table: string, condition: string) =>
    condition === NONE
      ? []
      : await tx.all<{ id: string }>(`select id from ${table} where ${condition} order by id${lock}`, ...values)
  const gone = {
    spaces: await idsOf('spaces', spaces),
    projects: await idsOf('projects', projects),
    sessions: await idsOf('sessions', sessions),
  }
  const taken = await count(tx, selection)
  if (taken.busy.length > 0) {
    throw new CarrelError('busy', `A run is under way in ${taken.busy.join(', ')}. Cancel it first, then delete.`, {
      sessions: taken.busy,
    })
  }
  await removeRows(tx, selection)
  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id)
  if ('workspace' in what) await removeWorkspace(tx, workspace)
  else tell(tx, workspace, linesOf(ids(gone.sessions), ids(gone.projects), ids(gone.spaces)), now)
  for (const { id } of gone.sessions) tx.rings.push({ log: id as SessionId, head: 0, due: false })
  return taken
}

const OF_SESSIONS = [
  'events',
  'items',
  'search_items',
  'folds',
  'request_keys',
  'waiting_prompts',
  'runs',
  'interactions',
  'contexts',
]

async function removeRows(tx: Tx, { spaces, projects, sessions, values }: Selection): Promise<void> {
  const forget = tx.dialect.words.forget(`session in (select id from sessions where ${sessions})`)
  if (forget) await tx.run(forget, ...values)
  for (const table of OF_SESSIONS) {
    await tx.run(`delete from ${table} where session in (select id from sessions where ${sessions})`, ...values)
  }
  await tx.run(`delete from sessions where ${sessions}`, ...values)
  if (projects !== NONE) {
    await tx.run(`delete from secrets where project in (select id from projects where ${projects})`, ...values)
    await tx.run(`delete from environment where scope in (select id from projects where ${projects})`, ...values)
    await tx.run(
      `delete from ports where place in (select 'project:' || id from projects where ${projects})`,
      ...values,
    )
    await tx.run(`delete from projects where ${projects}`, ...values)
  }
  if (spaces === NONE) return
  await tx.run(`delete from secrets where space in (select id from spaces where ${spaces})`, ...values)
  await tx.run(`delete from environment where scope in (select id from spaces where ${spaces})`, ...values)
  await tx.run(`delete from ports where place in (select 'space:' || id from spaces where ${spaces})`, ...values)
  await tx.run(`delete from rules where workspace = $1 and space in (select id from spaces where ${spaces})`, ...values)
  await tx.run(`delete from spaces where ${spaces}`, ...values)
}

async function removeWorkspace(tx: Tx, workspace: WorkspaceId): Promise<void> {
  await tx.run('delete from rules where workspace = $1', workspace)
  await tx.run('delete from secrets where workspace = $1', workspace)
  await tx.run('delete from environment where workspace = $1', workspace)
  await tx.run('delete from workspace_log where workspace = $1', workspace)
  await tx.run('delete from workspaces where id = $1', workspace)
  tx.rings.push({ log: workspace, head: 0, due: false })
}

function linesOf(sessions: string[], projects: string[], spaces: string[]): WorkspaceChange[] {
  return [
    ...sessions.map((id) => ({ type: 'session.deleted' as const, data: { id: id as SessionId } })),
    ...projects.map((id) => ({ type: 'project.deleted' as const, data: { id: id as ProjectId } })),
    ...spaces.map((id) => ({ type: 'space.deleted' as const, data: { id: id as SpaceId } })),
  ]
}

async function checkThere(tx: Tx, workspace: WorkspaceId, what: Branch, lock: string): Promise<void> {
  if ('workspace' in what) {
    // Against the order of all others, who lock this row last: what is being made below it must not outlive it. The
    // deadlock this may come to is found by Postgres, and both try again.
    if (!(await tx.get(`select id from workspaces where id = $1${lock}`, workspace))) throw noWorkspace(workspace)
    return
  }
  const [table, noun, id] =
    'space' in what
      ? ['spaces', 'Space', what.space]
      : 'project' in what
        ? ['projects', 'Project', what.project]
        : ['sessions', 'session', what.session]
  const row = await tx.get(`select id from ${table} where id = $1 and workspace = $2${lock}`, id, workspace)
  if (!row) throw new CarrelError('not_found', `There is no ${noun} ${id}.`, { id })
}
