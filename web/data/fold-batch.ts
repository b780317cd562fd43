import type { Followed } from '../../src/api/index.ts'
import { CarrelError } from '../../src/model/errors.ts'
import type { Event } from '../../src/model/events/events.ts'
import { foldWorkspace, type WorkspaceEvent } from '../../src/model/events/workspace-log.ts'
import { texts } from '../texts/texts.ts'
import type { PageState } from './page-state.ts'
import { type SessionData, withEvents } from './session-data.ts'

interface Batch extends Pick<PageState, 'workspaceId'> {
  workspace: PageState['workspace']
  synced: boolean
  files: number
  browsers: number
  readonly sessions: Record<string, SessionData>
  /** Events that are not folded yet, by log: many at once cost little more than one. */
  readonly pending: Map<string, Event[]>
  readonly deleted: Set<string>
}

/**
 * Returns the change of the state that a batch of the stream makes. Adds the ids of deleted sessions to `deleted`.
 * The server checked each event when it stored it; another check of every field here took longer than the fold.
 * @throws CarrelError `internal` for a line that is not an event
 */
export function foldBatch(state: PageState, followed: readonly Followed[], deleted: Set<string>): Partial<PageState> {
  const batch: Batch = { ...state, sessions: { ...state.sessions }, pending: new Map(), deleted }
  for (const one of followed) {
    if (one.kind === 'event') takeEvent(batch, one.log, one.json)
    else takeSign(batch, one)
  }
  for (const log of [...batch.pending.keys()]) foldPending(batch, log)
  const { workspace, sessions, synced, files, browsers } = batch
  return { workspace, sessions, synced, files, browsers }
}

function takeEvent(batch: Batch, log: string, json: string): void {
  const event = eventOf(json)
  if (log === batch.workspaceId) {
    const change = event as WorkspaceEvent
    if (change.type === 'session.deleted') batch.deleted.add(change.data.id)
    batch.workspace = batch.workspace && foldWorkspace(batch.workspace, change)
  } else if (batch.sessions[log]) {
    const events = batch.pending.get(log) ?? []
    events.push(event as Event)
    batch.pending.set(log, events)
  }
}

/** Everything but events: hints that files or browsers changed, and the end of a log's backlog. */
function takeSign(batch: Batch, { kind, log }: Exclude<Followed, { kind: 'event' }>): void {
  const isWorkspace = log === batch.workspaceId
  const caughtUp = isWorkspace && kind === 'caught-up'
  if (kind === 'files' || caughtUp) batch.files += 1
  if (kind === 'browsers' || caughtUp) batch.browsers += 1
  if (kind === 'files' || kind === 'browsers') return
  if (isWorkspace) {
    batch.synced = caughtUp
    return
  }
  foldPending(batch, log)
  const data = batch.sessions[log]
  if (data) batch.sessions[log] = { ...data, caughtUp: true, ended: data.ended || kind === 'ended' }
}

function foldPending({ sessions, pending }: Batch, log: string): void {
  const data = sessions[log]
  if (data) sessions[log] = withEvents(data, pending.get(log) ?? [])
  pending.delete(log)
}

function eventOf(json: string): Event | WorkspaceEvent {
  const event = JSON.parse(json) as Partial<Event> | null
  if (typeof event?.seq !== 'number' || typeof event.type !== 'string' || typeof event.at !== 'number')
    throw new CarrelError('internal', texts.shell.unreadable)
  return event as Event
}
