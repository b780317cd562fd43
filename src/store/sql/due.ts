import type { WaitingWork } from '../../model/binding.ts'
import type { AgentId, SessionId, WorkspaceId } from '../../model/ids.ts'
import { NOTHING_SPENT } from '../../model/settings/spending.ts'
import type { LogStore } from '../store.ts'
import { readCursor, toPage } from './cursor.ts'
import type { StoreOperation } from './operation.ts'
import { toRun } from './rows.ts'
import type { SqlRow, SqlValue } from './tx.ts'

/** The condition that no unexpired lease is on session `s`. */
const FREE = `not exists (select 1 from leases l where l.lease_key = 'session:' || s.id and l.expires_at > $1)`

export const due: StoreOperation<LogStore['due']> = async (tx, [machine, now, limit]) => {
  const half = (since: string, condition: string) =>
    `select * from (select s.id as session, s.workspace as workspace, ${since} as since from sessions s
       where s.machine = $3 and ${condition} and ${FREE} order by ${since} limit $2) as one`
  const rows = await tx.all<{ session: SessionId; workspace: WorkspaceId }>(
    `${half('s.due_since', 's.due = 1')}
     union all ${half('s.wake_at', 's.wake_at is not null and s.wake_at <= $1 and s.due = 0')}
     order by since limit $2`,
    now,
    limit,
    machine,
  )
  return rows.map(({ session, workspace }) => ({ session, workspace }))
}

export const nextWake: StoreOperation<LogStore['nextWake']> = async (tx, [machine, now]) => {
  const ends = (condition: string) =>
    `select min(l.expires_at) as at from sessions s join leases l on l.lease_key = 'session:' || s.id
     where s.machine = $2 and ${condition} and l.expires_at > $1`
  const row = await tx.get<{ at: number | null }>(
    `select min(at) as at from (
       select min(wake_at) as at from sessions where machine = $2 and wake_at is not null and wake_at > $1
       union all ${ends('s.due = 1')}
       union all ${ends('s.wake_at is not null and s.wake_at <= $1')}) as all_of_them`,
    now,
    machine,
  )
  return row?.at ?? null
}

export const runs: StoreOperation<LogStore['runs']> = async (tx, [workspace, filter, page]) => {
  const from = readCursor('runs', workspace, page)
  const values: SqlValue[] = [workspace, page.limit + 1]
  const conditions = ['workspace = $1']
  if (filter.session !== undefined) conditions.push(`session = $${values.push(filter.session)}`)
  if (filter.live !== undefined) conditions.push(filter.live ? `state <> 'ended'` : `state = 'ended'`)
  if (from) {
    values.push(from.at, from.id)
    conditions.push(`(admitted_at, id) < ($${values.length - 1}, $${values.length})`)
  }
  const rows = await tx.all<SqlRow>(
    `select * from runs where ${conditions.join(' and ')} order by admitted_at desc, id desc limit $2`,
    ...values,
  )
  return toPage(rows, {
    list: 'runs',
    workspace,
    limit: page.limit,
    row: toRun,
    position: (row) => ({ at: row.admitted_at as number, id: row.id as string }),
  })
}

export const run: StoreOperation<LogStore['run']> = async (tx, [workspace, id]) => {
  const row = await tx.get('select * from runs where id = $1 and workspace = $2', id, workspace)
  return row ? toRun(row) : null
}

export const conversations: StoreOperation<LogStore['conversations']> = async (tx, [acpSessions]) => {
  if (acpSessions.length === 0) return []
  const names = acpSessions.map((_, index) => `$${index + 1}`).join(', ')
  return await tx.all<{ workspace: WorkspaceId; session: SessionId; agent: AgentId; acpSession: string }>(
    `select s.workspace, c.session, c.agent, c.acp_session as "acpSession" from contexts c
     join sessions s on s.id = c.session where c.acp_session in (${names})`,
    ...acpSessions,
  )
}

export const spent: StoreOperation<LogStore['spent']> = async (tx, [workspace, of]) => {
  const [column, id] = Object.entries(of)[0] ?? []
  const within =
    column === undefined
      ? ''
      : column === 'session'
        ? ' and session = $2'
        : ` and session in (select id from sessions where ${column === 'space' ? 'space' : 'project'} = $2)`
  const row = await tx.get<{ ms: number; turns: number; tokens: number; cost: number }>(
    `select cast(coalesce(sum(spent_ms), 0) as bigint) as ms, cast(coalesce(sum(spent_turns), 0) as bigint) as turns,
       cast(coalesce(sum(spent_tokens), 0) as bigint) as tokens, coalesce(sum(spent_cost), 0) as cost
     from runs where workspace = $1${within}`,
    workspace,
    ...(id === undefined ? [] : [id]),
  )
  return row ?? NOTHING_SPENT
}

export const waiting: StoreOperation<LogStore['waiting']> = async (tx, [workspace]) => {
  const row = await tx.get<WaitingWork>(
    `select cast(coalesce(sum(queued), 0) as bigint) as prompts, cast(coalesce(sum(questions), 0) as bigint) as questions,
       (select count(*) from runs where workspace = $1 and state <> 'ended') as runs
     from sessions where workspace = $1`,
    workspace,
  )
  return row ?? { prompts: 0, runs: 0, questions: 0 }
}
