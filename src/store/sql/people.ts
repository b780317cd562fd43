import { CarrelError } from '../../model/errors.ts'
import type { InteractionId, RuleId, SessionId, WorkspaceId } from '../../model/ids.ts'
import type { Interaction } from '../../model/interaction.ts'
import type { Rule } from '../../model/rules.ts'
import type { Page, PageRequest } from '../store.ts'
import { readCursor, toPage } from './cursor.ts'
import { toInteraction, toRule } from './rows.ts'
import type { Row, Tx, Value } from './tx.ts'
import { noWorkspace, tell } from './workspace-lines.ts'

export async function interaction(
  tx: Tx,
  { workspace, id }: { workspace: WorkspaceId; id: InteractionId },
): Promise<Interaction | null> {
  const row = await tx.get('select * from interactions where id = $1 and workspace = $2', id, workspace)
  return row ? toInteraction(row) : null
}

interface InteractionFilter {
  readonly state?: Interaction['state'] | undefined
  readonly session?: SessionId | undefined
}

export async function interactions(
  tx: Tx,
  { workspace, filter, page }: { workspace: WorkspaceId; filter: InteractionFilter; page: PageRequest },
): Promise<Page<Interaction>> {
  const from = readCursor('interactions', workspace, page)
  const values: Value[] = [workspace, page.limit + 1]
  const conditions = ['workspace = $1']
  // Open ones have an index of their own, which a placeholder would hide.
  if (filter.state === 'open') conditions.push(`state = 'open'`)
  else if (filter.state !== undefined) conditions.push(`state = $${values.push(filter.state)}`)
  if (filter.session !== undefined) conditions.push(`session = $${values.push(filter.session)}`)
  if (from) {
    values.push(from.at, from.id)
    conditions.push(`(opened_at, id) > ($${values.length - 1}, $${values.length})`)
  }
  const rows = await tx.all<Row>(
    `select * from interactions where ${conditions.join(' and ')} order by opened_at, id limit $2`,
    ...values,
  )
  return toPage('interactions', workspace, rows, page.limit, {
    row: toInteraction,
    place: (row) => ({ at: row.opened_at as number, id: row.id as string }),
  })
}

export async function rules(tx: Tx, { workspace }: { workspace: WorkspaceId }): Promise<Rule[]> {
  const rows = await tx.all<Row>('select * from rules where workspace = $1 order by position, id', workspace)
  return rows.map(toRule)
}

export async function addRule(
  tx: Tx,
  { rule, before, now }: { rule: Rule; before: RuleId | null; now: number },
): Promise<Rule> {
  const { workspace } = rule
  if (!(await holdOrder(tx, workspace))) throw noWorkspace(workspace)
  if (rule.space !== null) await checkSpace(tx, workspace, rule.space)
  const position = await makeRoom(tx, workspace, before)
  await tx.run(
    `insert into rules (id, workspace, position, space, action, agent, tool_kind, path, command, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    rule.id,
    workspace,
    position,
    rule.space,
    rule.action,
    rule.agent,
    rule.toolKind,
    rule.path,
    rule.command,
    rule.createdAt,
  )
  tell(tx, workspace, [{ type: 'rule.changed', data: { rule } }], now)
  return rule
}

async function checkSpace(tx: Tx, workspace: WorkspaceId, space: string): Promise<void> {
  const row = await tx.get('select id from spaces where id = $1 and workspace = $2', space, workspace)
  if (!row) throw new CarrelError('not_found', `There is no Space ${space}.`, { space })
}

/** The order is one thing: who changes it waits for who is changing it. */
const holdOrder = async (tx: Tx, workspace: WorkspaceId): Promise<Row | undefined> =>
  await tx.get(`select id from workspaces where id = $1${tx.dialect.forUpdate}`, workspace)

/** A position that nothing has, before a rule or at the end. */
async function makeRoom(tx: Tx, workspace: WorkspaceId, before: RuleId | null): Promise<number> {
  const position = await placeFor(tx, workspace, before)
  await tx.run('update rules set position = position + 1 where workspace = $1 and position >= $2', workspace, position)
  return position
}

async function placeFor(tx: Tx, workspace: WorkspaceId, before: RuleId | null): Promise<number> {
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
  if (!next) throw new CarrelError('not_found', `There is no rule ${before} to put it before.`, { rule: before })
  return next.position
}

export async function moveRule(
  tx: Tx,
  { workspace, id, before, now }: { workspace: WorkspaceId; id: RuleId; before: RuleId | null; now: number },
): Promise<Rule | null> {
  await holdOrder(tx, workspace)
  const row = await tx.get('select * from rules where id = $1 and workspace = $2', id, workspace)
  if (!row) return null
  const rule = toRule(row)
  const position = await makeRoom(tx, workspace, before)
  await tx.run('update rules set position = $1 where id = $2', position, id)
  await tell(tx, workspace, [{ type: 'rule.changed', data: { rule } }], now)
  return rule
}

export async function removeRule(
  tx: Tx,
  { workspace, id, now }: { workspace: WorkspaceId; id: RuleId; now: number },
): Promise<boolean> {
  await holdOrder(tx, workspace)
  const removed = await tx.run('delete from rules where id = $1 and workspace = $2', id, workspace)
  if (removed === 0) return false
  tell(tx, workspace, [{ type: 'rule.deleted', data: { id } }], now)
  return true
}
