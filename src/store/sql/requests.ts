import { createHash } from 'node:crypto'
import { canonical } from '../../model/canonical.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Request } from '../../model/events.ts'
import type { SessionId } from '../../model/ids.ts'
import { movePrompt, stateOf, tellOf, type Work } from './project.ts'
import { fromJson, toJson } from './rows.ts'
import type { Row, Tx } from './tx.ts'

/**
 * What makes two requests under one key the same: all they say, but for who says it and the id that is made for a
 * new prompt at every call.
 */
export function digestOf({ type, data }: Request): string {
  const { by: _by, ...said } = data as Record<string, unknown> & { by: unknown }
  if (type === 'prompt.requested') delete said.prompt
  return createHash('sha256')
    .update(canonical([type, said]))
    .digest('base64url')
}

/** Checks a request against the rows as they are now, and changes them as it says. */
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
      if ((await movePrompt(tx, row.id, request.data.prompt, 'withdrawn')) === 0) throw promptGone(request.data.prompt)
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
  const { row, now } = work
  refuseWhenClosing(work)
  const free = ['idle', 'failed', 'lost'].includes(stateOf(row)) && row.queued === 0
  if (data.busy === 'reject' && !free) {
    throw new CarrelError('busy', 'This session has work already. Wait for it, or queue the prompt.', {
      session: row.id,
      state: row.state,
    })
  }
  const made = await tx.run(
    `insert into prompts (id, session, state, at) values ($1, $2, 'queued', $3) on conflict (id) do nothing`,
    data.prompt,
    row.id,
    now,
  )
  if (made === 0) throw new CarrelError('bad_input', 'There is a prompt with this id already.', { prompt: data.prompt })
  row.queued += 1
  row.agent = data.agent
  work.news = true
}

function refuseWhenClosing({ row }: Work): void {
  if (row.closing === 0) return
  throw new CarrelError('gone', 'This session is being closed. Open a new one, or fork it.', { session: row.id })
}

async function checkWaits(tx: Tx, session: SessionId, prompt: string): Promise<void> {
  const row = await tx.get(
    `select 1 as waits from prompts where id = $1 and session = $2 and state = 'queued'`,
    prompt,
    session,
  )
  if (!row) throw promptGone(prompt)
}

function promptGone(prompt: string): CarrelError {
  return new CarrelError('gone', 'This prompt does not wait any more: a run took it, or it was withdrawn.', { prompt })
}

async function checkRuns(tx: Tx, session: SessionId, run: string): Promise<void> {
  const row = await tx.get(
    `select 1 as runs from runs where id = $1 and session = $2 and state <> 'ended'`,
    run,
    session,
  )
  if (!row) throw new CarrelError('gone', 'This run is not on any more, so there is nothing to cancel.', { run })
}

/** The first answer wins, for good (I1): the session's row is locked, and only an open question takes one. */
async function answer(
  tx: Tx,
  work: Work,
  data: Extract<Request, { type: 'interaction.answered' }>['data'],
): Promise<void> {
  const answered = await tx.get<Row>(
    `update interactions set state = 'answered', answer = $3, answered_by = $4, answered_at = $5
     where id = $1 and session = $2 and state = 'open' returning *`,
    data.interaction,
    work.row.id,
    toJson(data.answer),
    toJson(data.by),
    work.now,
  )
  if (!answered) throw await whyNotOpen(tx, work.row.id, data.interaction)
  work.row.questions -= 1
  tellOf(work, [answered])
}

async function whyNotOpen(tx: Tx, session: SessionId, interaction: string): Promise<CarrelError> {
  const row = await tx.get('select * from interactions where id = $1 and session = $2', interaction, session)
  if (!row) return new CarrelError('not_found', `There is no question ${interaction} here.`, { interaction })
  if (row.state !== 'answered') {
    return new CarrelError('gone', 'This question is over: nobody waits for an answer any more.', {
      interaction,
      state: row.state,
    })
  }
  return new CarrelError('already_answered', 'Somebody has answered this already, and the first answer stays.', {
    by: fromJson(row.answered_by),
    at: row.answered_at,
    answer: fromJson(row.answer),
  })
}
