import { z } from 'zod'
import { AgentId, Millis, ProjectId, RunId, Seq, SessionId, SpaceId, WorkspaceId } from './ids.ts'
import { driverNow } from './old-names.ts'

/** A name a person can read: one line, 1 to 200 characters. */
export const Name = z
  .string()
  .transform((text) => text.replace(/\s+/g, ' ').trim())
  .pipe(z.string().min(1, 'must not be empty').max(200, 'takes at most 200 characters'))

/** Who gave a name. A person's beats a generated one beats a default one; a machine never replaces a person's. */
export const NamedBy = z.enum(['person', 'generated', 'default'])
export type NamedBy = z.infer<typeof NamedBy>

const RANK: Record<NamedBy, number> = { default: 0, generated: 1, person: 2 }

/** Whether a name given by `next` may replace one given by `current`. */
export function mayRename(current: NamedBy, next: NamedBy): boolean {
  return RANK[next] >= RANK[current]
}

export const Workspace = z.object({
  id: WorkspaceId,
  name: z.string(),
  createdAt: Millis,
  archivedAt: Millis.nullable(),
})
export type Workspace = z.infer<typeof Workspace>

export const Space = z.object({
  id: SpaceId,
  workspace: WorkspaceId,
  name: z.string(),
  kind: z.enum(['folder', 'blank']),
  /** Real absolute path. Immutable: another folder is another Space. */
  folder: z.string(),
  /** `missing`: the folder is not there now. Never repaired by making a new one. */
  state: z.enum(['present', 'missing']),
  createdAt: Millis,
  archivedAt: Millis.nullable(),
})
export type Space = z.infer<typeof Space>

export const PlaceKind = z.enum(['direct', 'worktree', 'overlay'])
export type PlaceKind = z.infer<typeof PlaceKind>

/** `making` goes on in the background; `failed` and `removed` have no files: `note` says why, or what to do. */
export const PlaceState = z.enum(['ready', 'making', 'failed', 'removed'])
export type PlaceState = z.infer<typeof PlaceState>

/** Where the files of a project are. `direct`: the Space's own folder. */
export const ProjectPlace = z.object({
  kind: PlaceKind,
  path: z.string(),
  state: PlaceState.default('ready'),
  /** How they are kept apart, in words; null for `direct`. */
  driver: z.string().overwrite(driverNow).nullable().default(null),
  branch: z.string().nullable().default(null),
  note: z.string().nullable().default(null),
})
export type ProjectPlace = z.infer<typeof ProjectPlace>

/** The place of projects that work in the Space's own folder. */
export const directPlace = (folder: string): ProjectPlace => ({
  kind: 'direct',
  path: folder,
  state: 'ready',
  driver: null,
  branch: null,
  note: null,
})

export const Project = z.object({
  id: ProjectId,
  workspace: WorkspaceId,
  space: SpaceId,
  name: z.string(),
  place: ProjectPlace,
  createdAt: Millis,
  archivedAt: Millis.nullable(),
})
export type Project = z.infer<typeof Project>

/** What a session is doing, in one word for rail, board and inbox. */
export const SessionState = z.enum(['idle', 'queued', 'running', 'waiting', 'failed', 'lost', 'closed'])
export type SessionState = z.infer<typeof SessionState>

export const RunOutcome = z.enum(['completed', 'cancelled', 'failed', 'refused', 'over_budget', 'lost'])
export type RunOutcome = z.infer<typeof RunOutcome>

export const RunState = z.enum(['admitted', 'started', 'parked', 'ended'])
export type RunState = z.infer<typeof RunState>

/** A session as lists show it: the headline of its log, kept in the transactions that append to it. */
export const Session = z.object({
  id: SessionId,
  workspace: WorkspaceId,
  space: SpaceId,
  project: ProjectId,
  name: z.string(),
  namedBy: NamedBy,
  /** The agent that its next prompt goes to unless the prompt names one. */
  agent: AgentId,
  state: SessionState,
  /** How many open questions wait for a person. */
  questions: z.number().int(),
  /** Prompts that wait for their turn. */
  queued: z.number().int(),
  /** The log's last `seq` at the time of this row. */
  head: Seq,
  lastRun: z.object({ id: RunId, outcome: RunOutcome.nullable(), endedAt: Millis.nullable() }).nullable(),
  /** How many paths that run changed. */
  changed: z.number().int().default(0),
  forkedFrom: z.object({ session: SessionId, seq: Seq }).nullable(),
  createdAt: Millis,
  /** When something last happened in it that a list should show. */
  updatedAt: Millis,
  closedAt: Millis.nullable(),
  archivedAt: Millis.nullable(),
})
export type Session = z.infer<typeof Session>

/** The part of a session's row that its log decides. `headline(view)` computes it. */
export type Headline = Pick<Session, 'state' | 'questions' | 'queued' | 'agent' | 'lastRun' | 'changed' | 'closedAt'>

/** One execution of one prompt, as lists show it. */
export const Run = z.object({
  id: RunId,
  session: SessionId,
  workspace: WorkspaceId,
  prompt: z.string(),
  agent: AgentId,
  state: RunState,
  outcome: RunOutcome.nullable(),
  stopReason: z.string().nullable(),
  admittedAt: Millis,
  startedAt: Millis.nullable(),
  endedAt: Millis.nullable(),
  usage: z.record(z.string(), z.unknown()).nullable(),
})
export type Run = z.infer<typeof Run>

/** What a delete would take, shown before it is done. Files of a folder Space are never deleted. */
export const DeletePreview = z.object({
  spaces: z.number().int(),
  projects: z.number().int(),
  sessions: z.number().int(),
  events: z.number().int(),
  /** Folders that would be removed from disk: only those that Carrel made, of blank Spaces and homes of agents. */
  folders: z.array(z.string()),
  /** Names of sessions with a run under way; they must end first. */
  busy: z.array(z.string()),
})
export type DeletePreview = z.infer<typeof DeletePreview>

/** Who asks. Made by a face from a token, never by the client's own claim. */
export interface Caller {
  readonly name: string
  readonly kind: 'person' | 'program' | 'rule' | 'system'
  readonly face: 'web' | 'cli' | 'api' | 'library' | 'mcp' | 'acp' | 'server'
  /** The workspaces it may enter; null for all of them. */
  readonly workspaces: readonly string[] | null
}

/** Who did something, as it stands in a log. */
export const Who = z.object({
  name: z.string(),
  kind: z.enum(['person', 'program', 'rule', 'system']),
  face: z.enum(['web', 'cli', 'api', 'library', 'mcp', 'acp', 'server']),
})
export type Who = z.infer<typeof Who>
