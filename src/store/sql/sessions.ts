import { CarrelError } from '../../model/errors.ts'
import type { Session } from '../../model/tree.ts'
import type { TreeStore } from '../store.ts'
import { readCursor, toPage } from './cursor.ts'
import { noSession } from './log.ts'
import type { StoreOperation } from './operation.ts'
import { SESSION_COLUMNS, type SessionRow, toSession } from './rows.ts'
import { patchRow } from './tree.ts'
import type { SqlValue, Tx } from './tx.ts'
import { addLines } from './workspace-lines.ts'

/** Returns the name as filters compare it. The engines fold case differently, so it is folded here. */
const nameKey = (name: string): string => name.toLowerCase()

export const createSession: StoreOperation<TreeStore['createSession']> = async (tx, [session, now]) => {
  const fresh: Session = { ...session, ...REST, head: 0, forkedFrom: null }
  await insertSession(tx, fresh)
  addLines(tx, session.workspace, [{ type: 'session.changed', data: { session: fresh } }], now)
  return fresh
}

const REST = { state: 'idle', questions: 0, queued: 0, lastRun: null, changed: 0, closedAt: null } as const

export const forkSession: StoreOperation<TreeStore['forkSession']> = async (tx, [from, seq, session, now]) => {
  const origin = await tx.get<{ head: number }>(
    'select head from sessions where id = $1 and workspace = $2',
    from,
    session.workspace,
  )
  if (!origin) throw noSession(from)
  if (seq < 0 || seq > origin.head) {
    throw new CarrelError('bad_input', `This session has ${origin.head} events, so it cannot be forked at ${seq}.`, {
      head: origin.head,
    })
  }
  const forked: Session = { ...session, ...REST, head: seq + 1, forkedFrom: { session: from, seq } }
  await insertSession(tx, forked)
  const copied = [session.id, from, seq]
  await tx.run(
    `insert into events (session, seq, at, run, type, data)
     select cast($1 as text), seq, at, run, type, data from events where session = $2 and seq <= $3 order by seq`,
    ...copied,
  )
  const forkEvent = [session.id, seq + 1, now, JSON.stringify({ from, seq })]
  await tx.run(
    `insert into events (session, seq, at, run, type, data) values ($1, $2, $3, null, 'session.forked', $4)`,
    ...forkEvent,
  )
  addLines(tx, session.workspace, [{ type: 'session.changed', data: { session: forked } }], now)
  tx.rings.push({ log: session.id, head: seq + 1, due: false })
  return forked
}

async function insertSession(tx: Tx, session: Session): Promise<void> {
  const { id, workspace, space, project, name, namedBy, agent, state, head, forkedFrom } = session
  // Locked, so that neither a removal of the project nor a change of the machine misses the new session.
  const owner = await tx.get<{ id: string; machine: string }>(
    `select p.id, s.machine from projects p join spaces s on s.id = p.space
     where p.id = $1 and p.workspace = $2 and p.space = $3${tx.dialect.forShare}`,
    project,
    workspace,
    space,
  )
  if (!owner) throw new CarrelError('not_found', `This Space has no project ${project}.`, { project, space })
  const origin = [forkedFrom?.session ?? null, forkedFrom?.seq ?? null]
  const times = [session.createdAt, session.updatedAt, session.archivedAt]
  const names = [name, nameKey(name), namedBy]
  const values = [id, workspace, space, project, ...names, agent, state, head, ...origin, ...times, owner.machine]
  await tx.run(
    `insert into sessions (id, workspace, space, project, name, name_key, named_by, agent, state, questions, queued,
       head, forked_session, forked_seq, created_at, updated_at, archived_at, machine)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11, $12, $13, $14, $15, $16)`,
    ...values,
  )
}

export const session: StoreOperation<TreeStore['session']> = async (tx, [workspace, id]) => {
  const row = await tx.get<SessionRow>(
    `select ${SESSION_COLUMNS} from sessions where id = $1 and workspace = $2`,
    id,
    workspace,
  )
  return row ? toSession(row) : null
}

export const sessions: StoreOperation<TreeStore['sessions']> = async (tx, [workspace, filter, page]) => {
  const from = readCursor('sessions', workspace, page)
  const values: SqlValue[] = [workspace, page.limit + 1]
  const conditions = ['workspace = $1']
  if (filter.space !== undefined) conditions.push(`space = $${values.push(filter.space)}`)
  if (filter.project !== undefined) conditions.push(`project = $${values.push(filter.project)}`)
  if (filter.state !== undefined) conditions.push(`state = $${values.push(filter.state)}`)
  if (filter.archived !== undefined) conditions.push(`archived_at is ${filter.archived ? 'not ' : ''}null`)
  if (filter.text) conditions.push(`name_key like $${values.push(`%${escapeLike(nameKey(filter.text))}%`)} escape '!'`)
  if (from) {
    values.push(from.at, from.id)
    conditions.push(`(updated_at, id) < ($${values.length - 1}, $${values.length})`)
  }
  const rows = await tx.all<SessionRow>(
    `select ${SESSION_COLUMNS} from sessions where ${conditions.join(' and ')}
     order by updated_at desc, id desc limit $2`,
    ...values,
  )
  return toPage(rows, {
    list: 'sessions',
    workspace,
    limit: page.limit,
    row: toSession,
    position: (row) => ({ at: row.updated_at, id: row.id }),
  })
}

const escapeLike = (text: string): string => text.replace(/[!%_]/g, '!$&')

export const updateSession: StoreOperation<TreeStore['updateSession']> = async (tx, [workspace, id, patch, now]) => {
  const row = await patchRow(
    tx,
    'sessions',
    { id, workspace },
    {
      name: patch.name,
      name_key: patch.name === undefined ? undefined : nameKey(patch.name),
      named_by: patch.namedBy,
      archived_at: patch.archivedAt,
      agent: patch.agent,
    },
  )
  if (!row) throw noSession(id)
  const changed = toSession(row as unknown as SessionRow)
  addLines(tx, workspace, [{ type: 'session.changed', data: { session: changed } }], now)
  return changed
}
