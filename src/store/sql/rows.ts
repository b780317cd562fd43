import { CarrelError } from '../../model/errors.ts'
import { Interaction } from '../../model/interaction.ts'
import type { Rule } from '../../model/rules.ts'
import type { Project, Run, Session, Space, Workspace } from '../../model/tree.ts'
import type { SqlRow } from './tx.ts'

/** A session's row, with columns that only the store uses. */
export interface SessionRow {
  readonly id: Session['id']
  readonly workspace: Session['workspace']
  readonly space: Session['space']
  readonly project: Session['project']
  readonly name: string
  readonly named_by: Session['namedBy']
  readonly agent: string
  readonly state: Session['state']
  readonly questions: number
  readonly queued: number
  readonly head: number
  readonly last_run: NonNullable<Session['lastRun']>['id'] | null
  readonly last_outcome: NonNullable<Session['lastRun']>['outcome']
  readonly last_ended_at: number | null
  readonly run_state: 'admitted' | 'started' | 'parked' | null
  /** Number of paths that the newest run changed. */
  readonly changed: number
  readonly forked_session: Session['id'] | null
  readonly forked_seq: number | null
  readonly created_at: number
  readonly updated_at: number
  /** 1 after `close.requested`. */
  readonly closing: number
  readonly closed_at: number | null
  readonly archived_at: number | null
  readonly due: number
  /** The machine of its Space; empty where no machine has it. */
  readonly machine: string
}

export const SESSION_COLUMNS = `id, workspace, space, project, name, named_by, agent, state, questions, queued, head,
  last_run, last_outcome, last_ended_at, run_state, changed, forked_session, forked_seq, created_at, updated_at, closing,
  closed_at, archived_at, due, machine`

export function toSession(row: SessionRow): Session {
  const { id, workspace, space, project, name, agent, state, questions, queued, head, changed } = row
  const { forked_session: origin, forked_seq: seq } = row
  return {
    id,
    workspace,
    space,
    project,
    name,
    agent,
    state,
    questions,
    queued,
    head,
    changed,
    namedBy: row.named_by,
    lastRun: row.last_run && { id: row.last_run, outcome: row.last_outcome, endedAt: row.last_ended_at },
    forkedFrom: origin === null || seq === null ? null : { session: origin, seq },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    closedAt: row.closed_at,
    archivedAt: row.archived_at,
  }
}

export function toWorkspace({ id, name, created_at, archived_at }: SqlRow): Workspace {
  return { id, name, createdAt: created_at, archivedAt: archived_at } as Workspace
}

export function toSpace(row: SqlRow): Space {
  const { id, workspace, name, kind, folder, state, created_at: createdAt, archived_at: archivedAt } = row
  return { id, workspace, name, kind, folder, state, machine: row.machine || null, createdAt, archivedAt } as Space
}

export function toProject(row: SqlRow): Project {
  const { id, workspace, space, name, place_kind, place_path, created_at, archived_at } = row
  const { place_state, place_driver, place_branch, place_note } = row
  const parts = { state: place_state, driver: place_driver, branch: place_branch, note: place_note }
  const place = { kind: place_kind, path: place_path, ...parts }
  return { id, workspace, space, name, place, createdAt: created_at, archivedAt: archived_at } as Project
}

export function toRun(row: SqlRow): Run {
  const { id, session, workspace, prompt, agent, state, outcome, stop_reason: stopReason } = row
  const times = { admittedAt: row.admitted_at, startedAt: row.started_at, endedAt: row.ended_at }
  const usage = fromJson(row.usage)
  return { id, session, workspace, prompt, agent, state, outcome, stopReason, ...times, usage } as Run
}

export function toInteraction(row: SqlRow): Interaction {
  const { id, workspace, space, session, run, agent, state } = row
  const times = { openedAt: row.opened_at, expiresAt: row.expires_at, answeredAt: row.answered_at }
  const question = fromJson(row.question)
  const answered = { answer: fromJson(row.answer), answeredBy: fromJson(row.answered_by) }
  const asked = { id, workspace, space, session, run, agent, state, question }
  const read = Interaction.safeParse({ ...asked, ...answered, ...times })
  if (read.success) return read.data
  throw new CarrelError('internal', `The stored question ${row.id} cannot be read. Run carrel doctor.`, {
    issues: read.error.issues,
  })
}

export function toRule(row: SqlRow): Rule {
  const { id, workspace, space, action, agent, tool_kind: toolKind, path, command, created_at: createdAt } = row
  return { id, workspace, space, action, agent, toolKind, path, command, createdAt } as Rule
}

/** Parses a JSON column; null for SQL's null. */
export function fromJson(text: unknown): unknown {
  return typeof text === 'string' ? JSON.parse(text) : null
}

/** Returns a value as a JSON column; SQL's null for null. */
export function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}
