import { createHash } from 'node:crypto'
import { canonical } from '../../model/canonical.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Request } from '../../model/events/events.ts'
import type { SessionId } from '../../model/ids.ts'
import { addInteractionLines, dropPrompt, stateOf, type Work } from './project.ts'
import { fromJson, toJson } from './rows.ts'
import type { SqlRow, Tx } from './tx.ts'

/** Returns the digest that compares requests under one key: all data but the author and a new prompt's id. */
export function digestOf({ type, data }: Request): string {
  const { by: _by, ...content } = data as Record<string, unknown> & { by: unknown }
  if (type === 'prompt.requested') delete content.prompt
  return createHash('sha256')
    .update(canonical([type, content]))
    .digest('base64url')
}

/** Checks a request against the present rows, and applies it to them. @throws as `LogStore.submit` */
export async function applyRequest(tx: Tx, work: Work, request: Request): Promise<void> {
  const { row } = work
  if (row.closed_at !== null && request.type !== 'close.requested') {
    throw new CarrelError('gone', 'This session is closed. Open a new one, or fork it.', { session: row.id })
  }
  switch (request.type) {
    case 'prompt.requested':
      return addPrompt(tx, work, request.data)
    case 'edit.requested':
      return checkWaits(tx, row.id, request.data.prompt)
    case 'withdrawal.requested':
      if ((await dropPrompt(tx, row.id, request.data.prompt)) === 0) throw promptGone(request.data.prompt)
      row.queued -= 1
      return
    case 'cancel.requested':
      return checkRuns(tx, row.id, request.data.run)
    case 'interaction.answered':
      return answer(tx, work, request.data)
    case 'config.requested':
      refuseWhenClosing(work)
      return
    case 'close.requested':
      row.closing = 1
  }
}

async function addPrompt(
  tx: Tx,
  work: Work,
  data: Extract<Request, { type: 'prompt.requested' }>['data'],
): Promise<void> {
  const { row } = work
  refuseWhenClosing(work)
  const free = ['idle', 'failed', 'lost'].includes(stateOf(row)) && row.queued === 0
  if (data.busy === 'reject' && !free) {
    throw new CarrelError('busy', 'This session is busy. Wait until it is idle, or queue the prompt.', {
      session: row.id,
      state: row.state,
    })
  }
  const made = await tx.run(
    'insert into waiting_prompts (id, session) values ($1, $2) on conflict (id) do nothing',
    data.prompt,
    row.id,
  )
  if (made === 0) throw new CarrelError('bad_input', 'A prompt with this id exists already.', { prompt: data.prompt })
  row.queued += 1
  row.agent = data.agent
  work.news = true
}

function refuseWhenClosing({ row }: Work): void {
  if (row.closing === 0) return
  throw new CarrelError('gone', 'This session is being closed. Open a new one, or fork it.', { session: row.id })
}

async function checkWaits(tx: Tx, session: SessionId, prompt: string): Promise<void> {
  const row = await tx.get('select 1 as waits from waiting_prompts where id = $1 and session = $2', prompt, session)
  if (!row) throw promptGone(prompt)
}

function promptGone(prompt: string): CarrelError {
  return new CarrelError('gone', 'This prompt is no longer waiting: a run took it, or it was withdrawn.', { prompt })
}

async function checkRuns(tx: Tx, session: SessionId, run: string): Promise<void> {
  const row = await tx.get(
    `select 1 as runs from runs where id = $1 and session = $2 and state <> 'ended'`,
    run,
    session,
  )
  if (!row) throw new CarrelError('gone', 'This run is no longer active, so there is nothing to cancel.', { run })
}

/** Stores the first answer, which is final (I1): the session's row is locked, and only an open question takes one. */
async function answer(
  tx: Tx,
  work: Work,
  data: Extract<Request, { type: 'interaction.answered' }>['data'],
): Promise<void> {
  const values = [data.interaction, work.row.id, toJson(data.answer), toJson(data.by), work.now]
  const answered = await tx.get<SqlRow>(
    `update interactions set state = 'answered', answer = $3, answered_by = $4, answered_at = $5
     where id = $1 and session = $2 and state = 'open' returning *`,
    ...values,
  )
  if (!answered) throw await whyNotOpen(tx, work.row.id, data.interaction)
  work.row.questions -= 1
  addInteractionLines(work, [answered])
}

async function whyNotOpen(tx: Tx, session: SessionId, interaction: string): Promise<CarrelError> {
  const row = await tx.get('select * from interactions where id = $1 and session = $2', interaction, session)
  if (!row) return new CarrelError('not_found', `This session has no question ${interaction}.`, { interaction })
  if (row.state !== 'answered') {
    return new CarrelError('gone', 'This question is no longer open, so it takes no answer.', {
      interaction,
      state: row.state,
    })
  }
  return new CarrelError('already_answered', 'This question was answered already, and the first answer is final.', {
    by: fromJson(row.answered_by),
    at: row.answered_at,
    answer: fromJson(row.answer),
  })
}
