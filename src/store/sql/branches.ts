import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceChange } from '../../model/events/workspace-log.ts'
import type { ProjectId, SessionId, SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { DeletePreview } from '../../model/tree.ts'
import type { Branch, TreeStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'
import type { SqlRow, SqlValue, Tx } from './tx.ts'
import { addLines, noWorkspace } from './workspace-lines.ts'

/** The rows of a branch: a condition for each table, with shared values. */
interface Selection {
  readonly spaces: string
  readonly projects: string
  readonly sessions: string
  readonly values: SqlValue[]
}

const NONE = '1 = 0'

function select(workspace: WorkspaceId, branch: Branch): Selection {
  const inside = 'workspace = $1'
  if ('workspace' in branch) return { spaces: inside, projects: inside, sessions: inside, values: [workspace] }
  if ('space' in branch) {
    const below = `${inside} and space = $2`
    return { spaces: `${inside} and id = $2`, projects: below, sessions: below, values: [workspace, branch.space] }
  }
  if ('project' in branch) {
    const sessions = `${inside} and project = $2`
    return { spaces: NONE, projects: `${inside} and id = $2`, sessions, values: [workspace, branch.project] }
  }
  return { spaces: NONE, projects: NONE, sessions: `${inside} and id = $2`, values: [workspace, branch.session] }
}

export const preview: StoreOperation<TreeStore['preview']> = async (tx, [workspace, branch]) => {
  await checkExists(tx, workspace, branch, '')
  return count(tx, select(workspace, branch))
}

async function count(tx: Tx, { spaces, projects, sessions, values }: Selection): Promise<DeletePreview> {
  const places =
    spaces === NONE ? [] : await tx.all<SqlRow>(`select kind, folder from spaces where ${spaces}`, ...values)
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

async function counted(tx: Tx, from: string, values: SqlValue[]): Promise<number> {
  const row = await tx.get<{ n: number }>(`select count(*) as n from ${from}`, ...values)
  return row?.n ?? 0
}

/** Locks rows from the top of the tree down, in the order of transactions that add to it. */
export const remove: StoreOperation<TreeStore['remove']> = async (tx, [workspace, branch, now]) => {
  await checkExists(tx, workspace, branch, tx.dialect.forUpdate)
  const selection = select(workspace, branch)
  const { spaces, projects, sessions, values } = selection
  const lock = tx.dialect.forUpdate
  const idsOf = async (table: string, condition: string) =>
    condition === NONE
      ? []
      : await tx.all<{ id: string }>(`select id from ${table} where ${condition} order by id${lock}`, ...values)
  const removed = {
    spaces: await idsOf('spaces', spaces),
    projects: await idsOf('projects', projects),
    sessions: await idsOf('sessions', sessions),
  }
  const counts = await count(tx, selection)
  if (counts.busy.length > 0) {
    throw new CarrelError('busy', `A run is active in ${counts.busy.join(', ')}. Cancel it first, then delete.`, {
      sessions: counts.busy,
    })
  }
  await removeRows(tx, selection)
  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id)
  if ('workspace' in branch) await removeWorkspace(tx, workspace)
  else addLines(tx, workspace, linesOf(ids(removed.sessions), ids(removed.projects), ids(removed.spaces)), now)
  for (const { id } of removed.sessions) tx.rings.push({ log: id as SessionId, head: 0, due: false })
  return counts
}

/** Tables with rows of sessions. */
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
    const ids = `(select id from projects where ${projects})`
    await tx.run(`delete from secrets where project in ${ids}`, ...values)
    await tx.run(`delete from environment where scope in ${ids}`, ...values)
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
  for (const table of ['rules', 'secrets', 'environment', 'workspace_log'])
    await tx.run(`delete from ${table} where workspace = $1`, workspace)
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

async function checkExists(tx: Tx, workspace: WorkspaceId, branch: Branch, lock: string): Promise<void> {
  if ('workspace' in branch) {
    // Other transactions lock this row last. Here it comes first, so that no row added below it outlives the workspace.
    // Postgres detects the deadlock that may follow, and both transactions are tried again.
    if (!(await tx.get(`select id from workspaces where id = $1${lock}`, workspace))) throw noWorkspace(workspace)
    return
  }
  const [table, noun, id] =
    'space' in branch
      ? ['spaces', 'Space', branch.space]
      : 'project' in branch
        ? ['projects', 'project', branch.project]
        : ['sessions', 'session', branch.session]
  const row = await tx.get(`select id from ${table} where id = $1 and workspace = $2${lock}`, id, workspace)
  if (!row) throw new CarrelError('not_found', `There is no ${noun} ${id}.`, { id })
}
