import { z } from 'zod'
import { AgentId, Millis, ProjectId, RunId, Seq, SessionId, SpaceId, WorkspaceId } from './ids.ts'
import { driverNow } from './old-names.ts'

/** Name of a git branch, also given in full: `refs/heads/main` is the branch `main`. */
export const BranchName = z
  .string()
  .overwrite((name) => name.replace(/^refs\/heads\//, ''))
  .min(1)
  .max(200)

/** Display name: one line, 1 to 200 characters. */
export const Name = z
  .string()
  .transform((text) => text.replace(/\s+/g, ' ').trim())
  .pipe(z.string().min(1, 'must not be empty').max(200, 'takes at most 200 characters'))

/** Source of a name. A person's name beats a generated one, which beats a default. Carrel never replaces a person's. */
export const NamedBy = z.enum(['person', 'generated', 'default'])
export type NamedBy = z.infer<typeof NamedBy>

const RANK: Record<NamedBy, number> = { default: 0, generated: 1, person: 2 }

export const mayRename = (current: NamedBy, next: NamedBy): boolean => RANK[next] >= RANK[current]

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
  /** Real absolute path. Immutable: another folder needs another Space. */
  folder: z.string(),
  /**
   * `missing`: the folder does not exist now. Carrel never creates a new one in its place. `away`: its machine is not
   * there, so nobody can tell. Only its machine says `present` or `missing`.
   */
  state: z.enum(['present', 'missing', 'away']),
  /** Id of the machine with its folder: only that one runs its sessions. null: no machine has it yet. */
  machine: z.string().nullable().default(null),
  createdAt: Millis,
  archivedAt: Millis.nullable(),
})
export type Space = z.infer<typeof Space>

export const PlaceKind = z.enum(['direct', 'worktree', 'overlay'])
export type PlaceKind = z.infer<typeof PlaceKind>

/** `making`: a background job creates the place. `failed`, `removed`: no files; `note` has the reason or next step. */
export const PlaceState = z.enum(['ready', 'making', 'failed', 'removed'])
export type PlaceState = z.infer<typeof PlaceState>

/** Location of a project's files. `direct`: the Space's own folder. */
export const ProjectPlace = z.object({
  kind: PlaceKind,
  path: z.string(),
  state: PlaceState.default('ready'),
  /** Name of the isolation driver; null for `direct`. */
  driver: z.string().overwrite(driverNow).nullable().default(null),
  branch: z.string().nullable().default(null),
  note: z.string().nullable().default(null),
})
export type ProjectPlace = z.infer<typeof ProjectPlace>

export const directPlace = (folder: string): ProjectPlace => ProjectPlace.parse({ kind: 'direct', path: folder })

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

export const SessionState = z.enum(['idle', 'queued', 'running', 'waiting', 'failed', 'lost', 'closed'])
export type SessionState = z.infer<typeof SessionState>

export const RunOutcome = z.enum(['completed', 'cancelled', 'failed', 'refused', 'over_budget', 'lost'])
export type RunOutcome = z.infer<typeof RunOutcome>

export const RunState = z.enum(['admitted', 'started', 'parked', 'ended'])
export type RunState = z.infer<typeof RunState>

/** Row of a session for lists: the headline of its log. Transactions that append to the log also update it. */
export const Session = z.object({
  id: SessionId,
  workspace: WorkspaceId,
  space: SpaceId,
  project: ProjectId,
  name: z.string(),
  namedBy: NamedBy,
  /** Agent of the next prompt, unless the prompt names another. */
  agent: AgentId,
  state: SessionState,
  questions: z.number().int(),
  queued: z.number().int(),
  /** Last `seq` of the log at the time of this row. */
  head: Seq,
  lastRun: z.object({ id: RunId, outcome: RunOutcome.nullable(), endedAt: Millis.nullable() }).nullable(),
  /** Number of paths changed by the last run. */
  changed: z.number().int().default(0),
  forkedFrom: z.object({ session: SessionId, seq: Seq }).nullable(),
  createdAt: Millis,
  /** Time of the last change that lists show. */
  updatedAt: Millis,
  closedAt: Millis.nullable(),
  archivedAt: Millis.nullable(),
  /** Parts of the work that its agents go on with between runs; absent for none. Only lists and reads have it. */
  background: z.array(z.string()).optional(),
})
export type Session = z.infer<typeof Session>

/** Part of a session's row that derives from its log. `headline(view)` computes it. */
export type Headline = Pick<Session, 'state' | 'questions' | 'queued' | 'agent' | 'lastRun' | 'changed' | 'closedAt'>

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

/** Preview of a deletion. Files of a folder Space are never deleted. */
export const DeletePreview = z.object({
  spaces: z.number().int(),
  projects: z.number().int(),
  sessions: z.number().int(),
  events: z.number().int(),
  /** Folders to remove from disk: only folders made by Carrel, of blank Spaces and homes of agents. */
  folders: z.array(z.string()),
  /** Names of sessions with an active run, which must end first. */
  busy: z.array(z.string()),
})
export type DeletePreview = z.infer<typeof DeletePreview>

/** Authenticated caller. A face derives it from a token, never from a claim of the client. */
export interface Caller extends Readonly<Who> {
  /** Accessible workspaces; null for all. */
  readonly workspaces: readonly string[] | null
}

/** Author of an action, as stored in a log. */
export const Who = z.object({
  name: z.string(),
  kind: z.enum(['person', 'program', 'rule', 'system']),
  face: z.enum(['web', 'cli', 'api', 'library', 'mcp', 'acp', 'server']),
})
export type Who = z.infer<typeof Who>
