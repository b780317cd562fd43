import { CarrelError } from '../../model/errors.ts'
import { type Note, type Outcome, type Request, runOf } from '../../model/events/events.ts'
import type { SessionId } from '../../model/ids.ts'
import type { Lease } from '../lease.ts'
import type { Batch, Begins, FoldWrite, LogStore, SessionRequest, Submitted } from '../store.ts'
import { replaceFold, writeFold } from './items.ts'
import { hold, holdOrTake, sessionLease } from './leases.ts'
import type { StoreOperation } from './operation.ts'
import { lockSession, projectOutcome, saveSession, type Work } from './project.ts'
import { applyRequest, digestOf } from './requests.ts'
import type { Columns, Tx } from './tx.ts'

const EVENTS: Columns = { session: 'text', seq: 'bigint', at: 'bigint', run: 'text', type: 'text', data: 'text' }

/** Locks the session's row first, so that two calls under one key run one after the other (L2). */
export const submit: StoreOperation<LogStore['submit']> = async (
  tx,
  [workspace, session, submitted, { key, now, begins = null }],
) => {
  const work = await lockSession(tx, session, now)
  if (work?.row.workspace !== workspace) throw noSession(session)
  const request = addressed(submitted, work)
  const digest = key === undefined ? '' : digestOf(request)
  if (key !== undefined) {
    const earlier = await findKey(tx, session, key, digest)
    if (earlier) return { ...earlier, machine: work.row.machine || null }
  }
  const lease = begins?.after === work.row.head ? await maybeHold(tx, begins, work) : null
  const outcomes = lease && begins ? begins.outcomes : []
  await applyRequest(tx, work, request)
  for (const outcome of outcomes) await projectOutcome(tx, work, outcome)
  work.row.due = 1
  const { first, last } = await append(tx, work, [request, ...outcomes])
  if (key !== undefined) {
    const values = [session, key, digest, first]
    await tx.run('insert into request_keys (session, request_key, digest, seq) values ($1, $2, $3, $4)', ...values)
  }
  tx.rings.push({ log: session, head: last, due: true })
  const began = lease && { first: first + 1, last, at: now, lease }
  return { seq: first, at: now, earlier: null, began, machine: work.row.machine || null }
}

/** Returns the lease for `begins`; null when it is not available, since a request needs none. */
async function maybeHold(tx: Tx, { right }: Begins, work: Work): Promise<Lease | null> {
  try {
    return await holdOrTake(tx, right, work)
  } catch (thrown) {
    if (thrown instanceof CarrelError && thrown.code === 'lease_lost') return null
    throw thrown
  }
}

function addressed({ type, data }: SessionRequest, { row }: Work): Request {
  return type === 'prompt.requested'
    ? { type, data: { ...data, agent: data.agent ?? row.agent } }
    : ({ type, data } as Request)
}

async function findKey(tx: Tx, session: SessionId, key: string, digest: string): Promise<Submitted | null> {
  const row = await tx.get<{ digest: string; seq: number; at: number; data: string }>(
    `select k.digest, e.seq, e.at, e.data from request_keys k
     join events e on e.session = k.session and e.seq = k.seq
     where k.session = $1 and k.request_key = $2`,
    session,
    key,
  )
  if (!row) return null
  if (row.digest !== digest) {
    throw new CarrelError('bad_input', 'This key was used for another request. Use a new key for each request.', {
      key,
    })
  }
  return { seq: row.seq, at: row.at, earlier: JSON.parse(row.data), began: null, machine: null }
}

export const record: StoreOperation<LogStore['record']> = async (tx, [right, session, batch, now]) => {
  // The session is locked first, as in `submit`: another order could deadlock.
  const work = await lockSession(tx, session, now)
  if (!work) throw noSession(session)
  const lease = await holdOrTake(tx, right, work)
  const earlier = await findBatch(tx, work, batch)
  if (earlier) return { ...earlier, lease }
  for (const outcome of batch.outcomes) await projectOutcome(tx, work, outcome)
  // Due until it is settled: the next holder after a crash must find the unfinished work (L10).
  work.row.due = 1
  const { first, last } = await append(tx, work, batch.outcomes)
  if (batch.fold) await writeFold(tx, session, checkedFold(batch.fold, last), 'at work')
  tx.rings.push({ log: session, head: last, due: false })
  return { first, last, at: now, lease }
}

/** Finds a batch that an earlier try wrote. The locked row of the session makes it wait for a commit under way. */
async function findBatch(
  tx: Tx,
  { row }: Work,
  { outcomes, after }: Batch,
): Promise<{ first: number; last: number; at: number } | null> {
  const [begin] = outcomes
  if (after === undefined || after >= row.head || !begin) return null
  const found = await tx.get<{ seq: number; at: number }>(
    `select seq, at from events where session = $1 and seq > $2 and type = $3 and data = $4 order by seq limit 1`,
    row.id,
    after,
    begin.type,
    JSON.stringify(begin.data),
  )
  return found ? { first: found.seq, last: found.seq + outcomes.length - 1, at: found.at } : null
}

/** Appends events under the next numbers, and saves the session. The row is locked, so no number is given twice. */
export async function append(
  tx: Tx,
  work: Work,
  events: readonly (Request | Outcome | Note)[],
): Promise<{ first: number; last: number }> {
  const { row, now } = work
  const first = row.head + 1
  row.head += events.length
  const rows = events.map((event, index) => [
    row.id,
    first + index,
    now,
    runOf(event),
    event.type,
    JSON.stringify(event.data),
  ])
  await tx.insertMany('events', EVENTS, rows)
  await saveSession(tx, work)
  return { first, last: row.head }
}

export const settle: StoreOperation<LogStore['settle']> = async (tx, [lease, session, fold, wakeAt, now]) => {
  const work = await lockSession(tx, session, now)
  if (!work) throw noSession(session)
  await hold(tx, lease, sessionLease(session), now)
  if (work.row.head !== fold.seq) return false
  await writeFold(tx, session, fold, 'at rest')
  await saveSession(tx, work)
  await tx.run('update sessions set due = 0, due_since = null, wake_at = $2 where id = $1', session, wakeAt)
  return true
}

export const rebuild: StoreOperation<LogStore['rebuild']> = async (tx, [session, fold]) => {
  const work = await lockSession(tx, session, 0)
  if (!work) throw noSession(session)
  await replaceFold(tx, session, checkedFold(fold, work.row.head))
}

function checkedFold(fold: FoldWrite, head: number): FoldWrite {
  if (fold.seq <= head) return fold
  throw new CarrelError('bad_input', 'A fold cannot be ahead of its log.', { seq: fold.seq, head })
}

export const read: StoreOperation<LogStore['read']> = async (tx, [session, after, limit]) => {
  const values = [session, after, limit]
  const rows = await tx.all<{ seq: number; at: number; run: string | null; type: string; data: string }>(
    'select seq, at, run, type, data from events where session = $1 and seq > $2 order by seq limit $3',
    ...values,
  )
  const start = `{"session":${JSON.stringify(session)},"seq":`
  // Concatenated for speed, since a long catch-up waits for it: a type is a word, a run an identifier, data is JSON.
  return rows.map(({ seq, at, run, type, data }) => {
    const ofRun = run === null ? 'null' : `"${run}"`
    return { seq, json: `${start}${seq},"at":${at},"run":${ofRun},"type":"${type}","data":${data}}` }
  })
}

export const head: StoreOperation<LogStore['head']> = async (tx, [session]) => {
  const row = await tx.get<{ head: number }>('select head from sessions where id = $1', session)
  return row?.head ?? 0
}

/** Uses a partial index: otherwise all events of a long run would be read. */
export const lastAdmitted: StoreOperation<LogStore['lastAdmitted']> = async (tx, [session, before]) => {
  const row = await tx.get<{ seq: number }>(
    `select seq from events where session = $1 and seq < $2 and type = 'run.admitted' order by seq desc limit 1`,
    session,
    before,
  )
  return row?.seq ?? null
}

export function noSession(session: string): CarrelError {
  return new CarrelError('not_found', `There is no session ${session}.`, { session })
}
