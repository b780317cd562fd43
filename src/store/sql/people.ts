import { CarrelError } from '../../model/errors.ts'
import type { RuleId, WorkspaceId } from '../../model/ids.ts'
import type { PeopleStore } from '../store.ts'
import { readCursor, toPage } from './cursor.ts'
import type { StoreOperation } from './operation.ts'
import { toInteraction, toRule } from './rows.ts'
import type { SqlRow, SqlValue, Tx } from './tx.ts'
import { addLines, noWorkspace } from './workspace-lines.ts'

export const interaction: StoreOperation<PeopleStore['interaction']> = async (tx, [workspace, id]) => {
  const row = await tx.get('select * from interactions where id = $1 and workspace = $2', id, workspace)
  return row ? toInteraction(row) : null
}

export const interactions: StoreOperation<PeopleStore['interactions']> = async (tx, [workspace, filter, page]) => {
  const from = readCursor('interactions', workspace, page)
  const values: SqlValue[] = [workspace, page.limit + 1]
  const conditions = ['workspace = $1']
  // A placeholder would hide the partial index of open questions.
  if (filter.state === 'open') conditions.push(`state = 'open'`)
  else if (filter.state !== undefined) conditions.push(`state = $${values.push(filter.state)}`)
  if (filter.session !== undefined) conditions.push(`session = $${values.push(filter.session)}`)
  if (from) {
    values.push(from.at, from.id)
    conditions.push(`(opened_at, id) > ($${values.length - 1}, $${values.length})`)
  }
  const rows = await tx.all<SqlRow>(
    `select * from interactions where ${conditions.join(' and ')} order by opened_at, id limit $2`,
    ...values,
  )
  return toPage(rows, {
    list: 'interactions',
    workspace,
    limit: page.limit,
    row: toInteraction,
    position: (row) => ({ at: row.opened_at as number, id: row.id as string }),
  })
}

export const rules: StoreOperation<PeopleStore['rules']> = async (tx, [workspace]) => {
  const rows = await tx.all<SqlRow>('select * from rules where workspace = $1 order by position, id', workspace)
  return rows.map(toRule)
}

export const addRule: StoreOperation<PeopleStore['addRule']> = async (tx, [rule, before, now]) => {
  const { id, workspace, space, action, agent, toolKind, path, command, createdAt } = rule
  if (!(await lockOrder(tx, workspace))) throw noWorkspace(workspace)
  if (space !== null) await checkSpace(tx, workspace, space)
  const position = await makeRoom(tx, workspace, before)
  const values = [id, workspace, position, space, action, agent, toolKind, path, command, createdAt]
  await tx.run(
    `insert into rules (id, workspace, position, space, action, agent, tool_kind, path, command, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    ...values,
  )
  addLines(tx, workspace, [{ type: 'rule.changed', data: { rule } }], now)
  return rule
}

async function checkSpace(tx: Tx, workspace: WorkspaceId, space: string): Promise<void> {
  const row = await tx.get('select id from spaces where id = $1 and workspace = $2', space, workspace)
  if (!row) throw new CarrelError('not_found', `There is no Space ${space}.`, { space })
}

/** Locks the order of rules, so that its changes run one after the other. */
const lockOrder = async (tx: Tx, workspace: WorkspaceId): Promise<SqlRow | undefined> =>
  await tx.get(`select id from workspaces where id = $1${tx.dialect.forUpdate}`, workspace)

/** Returns a free position before a rule or at the end, after moving later rules. */
async function makeRoom(tx: Tx, workspace: WorkspaceId, before: RuleId | null): Promise<number> {
  const position = await positionFor(tx, workspace, before)
  await tx.run('update rules set position = position + 1 where workspace = $1 and position >= $2', workspace, position)
  return position
}

async function positionFor(tx: Tx, workspace: WorkspaceId, before: RuleId | null): Promise<number> {
  if (before === null) {
    const last = await tx.get<{ position: number | null }>(
      'select max(position) as position from rules where workspace = $1',
      workspace,
    )
    return (last?.position ?? 0) + 1
  }
  const next = await tx.get<{ position: number }>(
    'select position from rules where id = $1 and workspace = $2',
    before,
    workspace,
  )
  if (!next)
    throw new CarrelError('not_found', `There is no rule ${before}, so no rule can be placed before it.`, {
      rule: before,
    })
  return next.position
}

export const moveRule: StoreOperation<PeopleStore['moveRule']> = async (tx, [{ workspace, id, before }, now]) => {
  await lockOrder(tx, workspace)
  const row = await tx.get('select * from rules where id = $1 and workspace = $2', id, workspace)
  if (!row) return null
  const rule = toRule(row)
  const position = await makeRoom(tx, workspace, before)
  await tx.run('update rules set position = $1 where id = $2', position, id)
  addLines(tx, workspace, [{ type: 'rule.changed', data: { rule } }], now)
  return rule
}

export const removeRule: StoreOperation<PeopleStore['removeRule']> = async (tx, [workspace, id, now]) => {
  await lockOrder(tx, workspace)
  const removed = await tx.run('delete from rules where id = $1 and workspace = $2', id, workspace)
  if (removed === 0) return false
  addLines(tx, workspace, [{ type: 'rule.deleted', data: { id } }], now)
  return true
}
