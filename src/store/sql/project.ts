import { CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import type { WorkspaceChange } from '../../model/events/workspace-log.ts'
import type { InteractionId, RunId, SessionId } from '../../model/ids.ts'
import type { Spent } from '../../model/settings/spending.ts'
import type { Session } from '../../model/tree.ts'
import { SESSION_COLUMNS, type SessionRow, toInteraction, toJson, toSession } from './rows.ts'
import type { SqlRow, SqlValue, Tx } from './tx.ts'
import { addLines } from './workspace-lines.ts'

/**
 * One transaction's work on a session: its row before and after, and its workspace lines.
 * The headline is computed from the rows of prompts, runs and interactions, and not taken from the caller, so that it
 * includes requests that arrived since the caller read the session.
 */
export interface Work {
  readonly before: SessionRow
  row: { -readonly [Key in keyof SessionRow]: SessionRow[Key] }
  readonly lines: WorkspaceChange[]
  /** Set by a change that moves the session up in lists. */
  news: boolean
  readonly now: number
}

/** Locks a session's row. Returns null without the session. */
export async function lockSession(tx: Tx, session: SessionId, now: number): Promise<Work | null> {
  const row = await tx.get<SessionRow>(
    `select ${SESSION_COLUMNS} from sessions where id = $1${tx.dialect.forUpdate}`,
    session,
  )
  return row ? { before: row, row: { ...row }, lines: [], news: false, now } : null
}

/** Writes the row. Adds a workspace line when a list would show a difference. */
export async function saveSession(tx: Tx, work: Work): Promise<void> {
  const { before, row } = work
  row.state = stateOf(row)
  if (row.state !== before.state || work.news) row.updated_at = Math.max(work.now, before.updated_at)
  await writeChanges(tx, work)
  if (SHOWN.some((column) => before[column] !== row[column])) {
    work.lines.unshift({ type: 'session.changed', data: { session: toSession(row) } })
  }
  addLines(tx, row.workspace, work.lines, work.now)
}

const HEADLINE = [
  'state',
  'questions',
  'queued',
  'agent',
  'last_run',
  'last_outcome',
  'last_ended_at',
  'changed',
] as const
const SHOWN = [...HEADLINE, 'updated_at', 'closed_at'] as const
const WRITTEN = [...SHOWN, 'head', 'closing', 'run_state', 'due'] as const

/** Updates only changed columns: each named column costs writes to its indexes, changed or not. */
async function writeChanges(tx: Tx, { before, row, now }: Work): Promise<void> {
  const changed = WRITTEN.filter((column) => before[column] !== row[column])
  if (changed.length === 0) return
  const values: SqlValue[] = changed.map((column) => row[column])
  const sets = changed.map((column, n) => `${column} = $${n + 2}`)
  if (row.due !== before.due) sets.push(`due_since = $${values.push(now) + 1}`)
  await tx.run(`update sessions set ${sets.join(', ')} where id = $1`, row.id, ...values)
}

/** Returns the state of a session row, like `sessionState` of the model for a view. */
export function stateOf(row: SessionRow): Session['state'] {
  if (row.closed_at !== null) return 'closed'
  if (row.questions > 0) return 'waiting'
  if (row.run_state) return row.run_state === 'admitted' ? 'queued' : 'running'
  if (row.queued > 0) return 'queued'
  if (row.last_outcome === 'lost') return 'lost'
  return row.last_outcome === 'failed' || row.last_outcome === 'over_budget' ? 'failed' : 'idle'
}

/** Applies one outcome to the rows that lists read. @throws gone, busy as `LogStore.record` */
export async function projectOutcome(tx: Tx, work: Work, outcome: Outcome): Promise<void> {
  const { row, now } = work
  switch (outcome.type) {
    case 'run.admitted':
      return admit(tx, work, outcome.data)
    case 'prompt.steered':
      return takePrompt(tx, work, outcome.data.prompt)
    case 'prompt.withdrawn':
      row.queued -= await dropPrompt(tx, row.id, outcome.data.prompt)
      return
    case 'run.started':
    case 'run.resumed':
      return moveRun(tx, work, outcome.data.run, 'started')
    case 'run.parked':
      work.news = true
      await writeSpent(tx, outcome.data)
      return moveRun(tx, work, outcome.data.run, 'parked')
    case 'run.ended':
      return endRun(tx, work, outcome.data)
    case 'interaction.opened':
      return openInteraction(tx, work, outcome.data)
    case 'interaction.expired':
      return expireInteraction(tx, work, outcome.data.interaction, toJson(outcome.data.answer))
    case 'interaction.withdrawn':
      return withdrawInteractions(tx, work, 'id', outcome.data.interaction)
    case 'context.opened': {
      const values = [row.id, outcome.data.agent, outcome.data.acpSession, outcome.data.fingerprint]
      await tx.run(
        `insert into contexts (session, agent, acp_session, fingerprint, status) values ($1, $2, $3, $4, 'open')
         on conflict (session, agent) do update
           set acp_session = excluded.acp_session, fingerprint = excluded.fingerprint, status = excluded.status`,
        ...values,
      )
      return
    }
    case 'context.lost':
      await tx.run(
        `update contexts set status = 'lost', acp_session = null where session = $1 and agent = $2`,
        row.id,
        outcome.data.agent,
      )
      return
    case 'snapshot.taken': {
      const { created, modified, deleted } = outcome.data.counts
      if (outcome.data.run === row.last_run) row.changed = created + modified + deleted
      return
    }
    case 'session.closed':
      row.closing = 1
      row.closed_at ??= now
      if (row.queued > 0) await tx.run('delete from waiting_prompts where session = $1', row.id)
      row.queued = 0
      return
  }
}

/** Removes a waiting prompt. @returns 1, or 0 when it was taken or withdrawn before */
export async function dropPrompt(tx: Tx, session: string, prompt: string): Promise<number> {
  return tx.run('delete from waiting_prompts where id = $1 and session = $2', prompt, session)
}

async function takePrompt(tx: Tx, { row }: Work, prompt: string): Promise<void> {
  if ((await dropPrompt(tx, row.id, prompt)) === 0) {
    throw new CarrelError('gone', 'This prompt is no longer waiting, because somebody withdrew it.', { prompt })
  }
  row.queued -= 1
}

async function admit(tx: Tx, work: Work, data: Extract<Outcome, { type: 'run.admitted' }>['data']): Promise<void> {
  const { row, now } = work
  if (row.run_state !== null) {
    throw new CarrelError('busy', 'This session has an active run. The next one starts after its end.', {
      run: row.last_run,
    })
  }
  await takePrompt(tx, work, data.prompt)
  const values = [data.run, row.workspace, row.id, data.prompt, data.agent, now]
  await tx.run(
    `insert into runs (id, workspace, session, prompt, agent, state, admitted_at)
     values ($1, $2, $3, $4, $5, 'admitted', $6)`,
    ...values,
  )
  Object.assign(row, { agent: data.agent, run_state: 'admitted', last_run: data.run })
  Object.assign(row, { last_outcome: null, last_ended_at: null, changed: 0 })
}

async function moveRun(tx: Tx, { row, now }: Work, run: RunId, state: 'started' | 'parked'): Promise<void> {
  const values = [run, row.id, state, state === 'started' ? now : null]
  const moved = await tx.run(
    `update runs set state = $3, started_at = coalesce(started_at, $4)
     where id = $1 and session = $2 and state <> 'ended'`,
    ...values,
  )
  if (moved > 0) row.run_state = state
}

async function endRun(tx: Tx, work: Work, data: Extract<Outcome, { type: 'run.ended' }>['data']): Promise<void> {
  const { row, now } = work
  const values = [data.run, row.id, data.outcome, data.stopReason, now, toJson(data.usage)]
  const ended = await tx.run(
    `update runs set state = 'ended', outcome = $3, stop_reason = $4, ended_at = $5, usage = $6
     where id = $1 and session = $2 and state <> 'ended'`,
    ...values,
  )
  await writeSpent(tx, data)
  if (ended === 0) throw new CarrelError('gone', 'This run is not active: it has ended already.', { run: data.run })
  if (row.questions > 0) await withdrawInteractions(tx, work, 'run', data.run)
  Object.assign(row, { run_state: null, last_run: data.run, last_outcome: data.outcome, last_ended_at: now })
  work.news = true
}

async function writeSpent(tx: Tx, { run, spent }: { run: RunId; spent?: Spent | undefined }): Promise<void> {
  if (!spent) return
  const values = [run, Math.round(spent.ms), spent.turns, Math.round(spent.tokens), spent.cost]
  await tx.run(
    'update runs set spent_ms = $2, spent_turns = $3, spent_tokens = $4, spent_cost = $5 where id = $1',
    ...values,
  )
}

async function openInteraction(
  tx: Tx,
  work: Work,
  { interaction, run, agent, question, expiresAt }: Extract<Outcome, { type: 'interaction.opened' }>['data'],
): Promise<void> {
  const { row, now } = work
  const values = [interaction, row.workspace, row.space, row.id, run, agent, JSON.stringify(question), now, expiresAt]
  const made = await tx.get<SqlRow>(
    `insert into interactions (id, workspace, space, session, run, agent, state, question, opened_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9) returning *`,
    ...values,
  )
  row.questions += 1
  work.news = true
  addInteractionLines(work, made ? [made] : [])
}

/** Refuses the expiry of a question that is not open, because the first answer stays (I1). */
async function expireInteraction(tx: Tx, work: Work, id: InteractionId, answer: string | null): Promise<void> {
  const values = [id, work.row.id, answer, work.now]
  const expired = await tx.get<SqlRow>(
    `update interactions set state = 'expired', answer = $3, answered_at = $4
     where id = $1 and session = $2 and state = 'open' returning *`,
    ...values,
  )
  if (!expired) throw new CarrelError('gone', 'This question is no longer open.', { interaction: id })
  work.row.questions -= 1
  addInteractionLines(work, [expired])
}

/**
 * Withdraws one open question, or all open questions of a run. A question that an agent asked after an earlier run
 * outlives a later one.
 */
async function withdrawInteractions(tx: Tx, work: Work, by: 'id' | 'run', id: InteractionId | RunId): Promise<void> {
  const values = [work.row.id, work.now, id]
  const rows = await tx.all<SqlRow>(
    `update interactions set state = 'withdrawn', answered_at = $2
     where session = $1 and state = 'open' and ${by} = $3 returning *`,
    ...values,
  )
  work.row.questions -= rows.length
  addInteractionLines(work, rows)
}

export function addInteractionLines(work: Work, interactions: readonly SqlRow[]): void {
  for (const row of interactions) {
    work.lines.push({ type: 'interaction.changed', data: { interaction: toInteraction(row) } })
  }
}
