import type { WaitingWork } from '../model/binding.ts'
import type { Note, Outcome, Request } from '../model/events/events.ts'
import type { Item } from '../model/events/items.ts'
import type { SessionView } from '../model/events/view.ts'
import type {
  ActId,
  AgentId,
  InteractionId,
  ProjectId,
  RuleId,
  RunId,
  SessionId,
  SpaceId,
  WorkspaceId,
} from '../model/ids.ts'
import type { Interaction } from '../model/interaction.ts'
import type { Rule } from '../model/rules.ts'
import type { SearchHit } from '../model/search.ts'
import type { Spent } from '../model/settings/spending.ts'
import type { DeletePreview, Project, ProjectPlace, Run, Session, Space, Workspace } from '../model/tree.ts'
import type { Claim, Lease, LeaseStore } from './lease.ts'
import type { MachineStore } from './machine-store.ts'
import type { EnvironmentStore, PortStore, SecretStore } from './settings-store.ts'

/**
 * The storage of Carrel. Each method is one transaction: it resolves after the commit to disk (L5), or rejects and has
 * changed nothing. An embedded database may commit leases alone before they reach the disk. A method that takes a
 * `WorkspaceId` reads rows of that workspace only: rows of another are `null` or `not_found` (B1). Time is an argument
 * (`now`, ms since 1970): clocks decide liveness, tokens decide safety (S2).
 */
export interface Store extends StoreParts {
  readonly engine: 'sqlite' | 'postgres'
  /** Calls `listener` after every commit of this process that appended; the bell rings for other processes. */
  onAppend(listener: (ring: Ring) => void): () => void
  /** Writes a consistent copy of the embedded database in use. @throws unavailable on Postgres */
  backup(path: string): Promise<void>
  stats(): Promise<StoreStats>
  close(): Promise<void>
}

/** The methods of a store. Each one is an operation in `sql/`, listed in `sql/operations.ts`. */
export interface StoreParts {
  readonly tree: TreeStore
  readonly log: LogStore
  readonly leases: LeaseStore
  readonly people: PeopleStore
  readonly secrets: SecretStore
  readonly environment: EnvironmentStore
  readonly ports: PortStore
  readonly machines: MachineStore
}

/**
 * A notice that a log grew. `head` is its last `seq`, or 0 when the log was removed. `due` is set by requests: nodes
 * that could take the session should check it. Outcomes that a holder records ring without `due`.
 */
export interface Ring {
  readonly log: SessionId | WorkspaceId | `files:${string}` | `browsers:${string}`
  readonly head: number
  readonly due: boolean
}

export interface StoreStats {
  readonly engine: string
  readonly version: string
  readonly schema: number
  readonly location: string
  readonly bytes: number | null
  readonly sessions: number
  readonly events: number
}

/** One page of a list. `cursor` is opaque and belongs to one workspace and one list (B1); null after the last page. */
export interface RowPage<T> {
  readonly rows: readonly T[]
  readonly cursor: string | null
}
export interface PageRequest {
  readonly cursor: string | null
  /** 1 to 500. */
  readonly limit: number
}

type WorkspacePatch = Partial<Pick<Workspace, 'name' | 'archivedAt'>>
type SpacePatch = Partial<Pick<Space, 'name' | 'archivedAt'>> & { readonly state?: FolderState }
/** The state of a Space that its machine stores. */
export type FolderState = Exclude<Space['state'], 'away'>
type ProjectPatch = Partial<Pick<Project, 'name' | 'archivedAt'>>
type SessionPatch = Partial<Pick<Session, 'name' | 'namedBy' | 'archivedAt' | 'agent'>>

/** Workspaces, Spaces, projects and sessions. Each change writes its workspace line in the same transaction. */
export interface TreeStore {
  /** Creates a workspace, or returns the existing one. Safe to repeat. */
  createWorkspace(workspace: Workspace, now: number): Promise<Workspace>
  workspaces(): Promise<Workspace[]>
  workspace(id: WorkspaceId): Promise<Workspace | null>
  updateWorkspace(id: WorkspaceId, patch: WorkspacePatch, now: number): Promise<Workspace>

  /** @throws bad_input when a Space of the same machine already has the folder `folderKey` */
  createSpace(space: Space, folderKey: string, now: number): Promise<Space>
  spaces(workspace: WorkspaceId): Promise<Space[]>
  space(workspace: WorkspaceId, id: SpaceId): Promise<Space | null>
  /**
   * Returns the folders of a machine in all workspaces, and those of Spaces without a machine, for the rule that no Space
   * lies inside another.
   */
  folders(machine: string): Promise<{ space: SpaceId; workspace: WorkspaceId; folder: string; folderKey: string }[]>
  updateSpace(workspace: WorkspaceId, id: SpaceId, patch: SpacePatch, now: number): Promise<Space>

  createProject(project: Project, now: number): Promise<Project>
  projects(workspace: WorkspaceId, space?: SpaceId): Promise<Project[]>
  project(workspace: WorkspaceId, id: ProjectId): Promise<Project | null>
  updateProject(workspace: WorkspaceId, id: ProjectId, patch: ProjectPatch, now: number): Promise<Project>

  /** Changes the place of a project. The host opens the place by `record`; without a new one the old record stays. */
  setPlace(
    workspace: WorkspaceId,
    id: ProjectId,
    change: { readonly place: ProjectPlace; readonly record?: unknown },
    now: number,
  ): Promise<Project>
  /** Returns the record last given to `setPlace`; null without one. */
  placeRecord(workspace: WorkspaceId, id: ProjectId): Promise<unknown>
  /** Returns the changes that people made to the file rules of a Space; null without changes. */
  fileRules(workspace: WorkspaceId, id: SpaceId): Promise<unknown>
  setFileRules(workspace: WorkspaceId, id: SpaceId, rules: unknown): Promise<void>

  createSession(session: Session, now: number): Promise<Session>
  /**
   * Creates a session whose log is the first `seq` events of `from`, followed by `session.forked`.
   * @throws not_found when `from` is not in the workspace, bad_input when `seq` is beyond its head
   */
  forkSession(from: SessionId, seq: number, session: Session, now: number): Promise<Session>
  session(workspace: WorkspaceId, id: SessionId): Promise<Session | null>
  /** Returns sessions, most recently changed first. */
  sessions(workspace: WorkspaceId, filter: SessionFilter, page: PageRequest): Promise<RowPage<Session>>
  updateSession(workspace: WorkspaceId, id: SessionId, patch: SessionPatch, now: number): Promise<Session>

  preview(workspace: WorkspaceId, branch: Branch): Promise<DeletePreview>
  /**
   * Deletes a branch of the tree with its logs, items, interactions and runs. Files stay.
   * @throws busy while a run is active in it
   */
  remove(workspace: WorkspaceId, branch: Branch, now: number): Promise<DeletePreview>

  /** Returns workspace lines after `after`, oldest first, at most `limit`. Each is a `WorkspaceEvent` as JSON text. */
  readWorkspace(workspace: WorkspaceId, after: number, limit: number): Promise<Line[]>
  workspaceHead(workspace: WorkspaceId): Promise<number>
}

export interface SessionFilter {
  readonly space?: SpaceId | undefined
  readonly project?: ProjectId | undefined
  readonly archived?: boolean | undefined
  readonly state?: Session['state'] | undefined
  /** Part of the name; case does not matter. */
  readonly text?: string | undefined
}

/** A workspace, Space, project or session with everything below it. */
export type Branch =
  | { readonly space: SpaceId }
  | { readonly project: ProjectId }
  | { readonly session: SessionId }
  | { readonly workspace: true }

/** A stored event, ready for the wire: `json` is the whole object as text and needs no parsing. */
export interface Line {
  readonly seq: number
  readonly json: string
}

/** The logs of sessions, and the views folded from them. */
export interface LogStore {
  /**
   * Appends a request and marks the session due. Needs no lease. Checks in the same transaction:
   * - an edit or withdrawal needs a waiting prompt, a cancel needs an active run (`gone`);
   * - an answer needs an open interaction (`already_answered`, with the first answer in `data`);
   * - a prompt with `reject` needs a free session (`busy`);
   * - a closed session takes only a repeated `close.requested`; a closing one takes no prompt and no options (`gone`).
   * Rows for lists (prompts, interactions, headline) change in the same transaction (I2).
   * @param key idempotency key of the caller: the same request again appends nothing and returns the first result (L2);
   *   another request under a used key is `bad_input`
   * @param begins outcomes of the holder, appended behind the request as `record` would, if the log ends at `after` and
   *   the lease is available; otherwise the request stands alone and `began` is null
   * @throws not_found when the session is not in the workspace
   */
  submit(
    workspace: WorkspaceId,
    session: SessionId,
    request: SessionRequest,
    options: { key?: string | undefined; now: number; begins?: Begins | null },
  ): Promise<Submitted>

  /**
   * Appends outcomes in order. The session stays due until it is settled. Writes all of them or none:
   * - `lease_lost` when the lease was overtaken or has expired (L3);
   * - `gone` for `run.admitted` or `prompt.steered` without a waiting prompt, for a second `run.ended` of a run (L4),
   *   and for the expiry of a question that is not open (I1);
   * - `busy` for `run.admitted` beside an active run.
   * Projections (runs, prompts, interactions, contexts, headline with its workspace line) change in the same
   * transaction. The headline is counted from those rows, so that it includes requests submitted meanwhile. A claim
   * takes the lease first, in the same transaction: a refused batch takes no lease.
   * Safe to repeat with `batch.after`: a batch that an earlier try of the holder wrote behind that event is found there
   * and not written again: a holder that lost the answer of a commit learns whether it took place.
   */
  record(right: Lease | Claim, session: SessionId, batch: Batch, now: number): Promise<Recorded>

  /**
   * Appends notes about files to sessions of one Space, all or none. Skips sessions that were deleted meanwhile.
   * @throws lease_lost when the lease of the Space was overtaken or has expired (L3), not_found for another Space's
   *   session
   */
  note(lease: Lease, noted: Noted, now: number): Promise<void>
  /** Returns the last act of a place that `note` recorded. */
  lastNoted(place: string): Promise<string | null>

  /**
   * Puts a session to rest if no event came after `fold.seq` (L10): clears `due`, sets `wakeAt` and stores the fold.
   * @returns false when an event came meanwhile: the caller folds it and decides again
   */
  settle(lease: Lease, session: SessionId, fold: FoldWrite, wakeAt: number | null, now: number): Promise<boolean>

  /** Returns events after `after`, oldest first, at most `limit`. */
  read(session: SessionId, after: number, limit: number): Promise<Line[]>
  head(session: SessionId): Promise<number>
  /** Returns the `seq` of the last `run.admitted` below `before`, the `n` of the run's item; null without one. */
  lastAdmitted(session: SessionId, before: number): Promise<number | null>
  /** Returns the stored fold; null without one of this version, which is then folded again from event 1. */
  fold(session: SessionId): Promise<{ view: SessionView; seq: number } | null>
  /** Returns stored items with `n` below `before` (null: the newest), newest first, at most `limit`. */
  items(session: SessionId, before: number | null, limit: number): Promise<Item[]>
  itemsByN(session: SessionId, ns: readonly number[]): Promise<Item[]>
  /**
   * Finds stored items that contain all words of `text`, best first, newest first among equals. Ranks the newest 2,000
   * hits. Quotes make a phrase; the last word is a prefix from two letters on. Items are indexed when they are stored:
   * events after the stored fold (up to 256 events or one second of a run), growing texts and new forks are not found.
   * Pages continue by position: a hit may appear twice or never when items are stored between two pages.
   */
  search(
    workspace: WorkspaceId,
    filter: { text: string; session?: SessionId | undefined },
    page: PageRequest,
  ): Promise<RowPage<SearchHit>>
  /**
   * Checks `limit` stored folds of sessions before `before` (null: from the newest). Returns the sessions whose fold
   * has another version, newest first, and the last session that was checked; null at the end.
   */
  staleFolds(before: SessionId | null, limit: number): Promise<{ sessions: SessionId[]; last: SessionId | null }>
  /** Replaces all stored items and the fold of a session: `carrel sessions rebuild`. */
  rebuild(session: SessionId, fold: FoldWrite): Promise<void>

  /** Counts the resting sessions with stored items that were archived before `before`, and the bytes of their items. */
  forgettableArchived(before: number): Promise<{ count: number; bytes: number }>
  /** Removes the items and folds of those sessions. Opening a session folds it again from the log. */
  forgetArchived(before: number): Promise<{ count: number; bytes: number }>
  /**
   * Returns sessions of a machine that are due, or whose `wakeAt` has come, and that no holder leases; longest waiting
   * first. Sessions of other machines are never in it (N1).
   */
  due(machine: string, now: number, limit: number): Promise<{ session: SessionId; workspace: WorkspaceId }[]>
  /** Returns the earliest future `wakeAt`, or lease end of a due session, of a machine; null without any. */
  nextWake(machine: string, now: number): Promise<number | null>
  runs(
    workspace: WorkspaceId,
    filter: { session?: SessionId | undefined; live?: boolean | undefined },
    page: PageRequest,
  ): Promise<RowPage<Run>>
  run(workspace: WorkspaceId, id: RunId): Promise<Run | null>
  /** Returns the sessions, of all workspaces, whose agents have one of these conversations. */
  conversations(
    acpSessions: readonly string[],
  ): Promise<{ workspace: WorkspaceId; session: SessionId; agent: AgentId; acpSession: string }[]>
  /** Sums the usage of runs. A run counts when it is parked or ended. */
  spent(workspace: WorkspaceId, of: SpentOf): Promise<Spent>
  /** Counts the queued prompts, the runs without an end and the open questions of a workspace. */
  waiting(workspace: WorkspaceId): Promise<WaitingWork>
}

/** One session, project or Space; without any of them the whole workspace. */
type SpentOf = Readonly<Partial<Record<'session' | 'project' | 'space', string>>>

export interface Submitted {
  readonly seq: number
  readonly at: number
  /** The stored `data` of the first request under this key; null for a new request. */
  readonly earlier: Request['data'] | null
  /** The outcomes of `begins`; null where they were not recorded. */
  readonly began: Recorded | null
  /** The machine that will act on the request; null where no machine has the Space yet. */
  readonly machine: string | null
}

/** Outcomes that a holder, who knows the log up to `after`, records directly behind a request. */
export interface Begins {
  readonly after: number
  readonly right: Lease | Claim
  readonly outcomes: readonly Outcome[]
}

type Prompt = Extract<Request, { type: 'prompt.requested' }>
/** A request to a session. A prompt without an agent goes to the agent of the last prompt. */
export type SessionRequest =
  | Exclude<Request, Prompt>
  | { readonly type: Prompt['type']; readonly data: Omit<Prompt['data'], 'agent'> & { readonly agent: AgentId | null } }

export interface Batch {
  readonly outcomes: readonly Outcome[]
  /** A fold to store, as of an earlier `seq`. Readers fold the later events. */
  readonly fold?: FoldWrite | undefined
  /** For a repetition: the last event before the batch that the holder knew. All later outcomes are its own. */
  readonly after?: number | undefined
}

export interface Noted {
  readonly space: SpaceId
  readonly notes: readonly { readonly session: SessionId; readonly note: Note }[]
  /** Recorded in the same transaction, so that the notes of an act are written exactly once. */
  readonly act?: { readonly place: string; readonly id: ActId } | undefined
}

/** View and changed items as of `seq`. Items always equal the fold of the log up to `seq` (L9). */
export interface FoldWrite {
  readonly seq: number
  readonly view: SessionView
  readonly items: readonly Item[]
}

export interface Recorded {
  /** `seq` of the first outcome; the numbers up to `last` are consecutive. */
  readonly first: number
  readonly last: number
  readonly at: number
  readonly lease: Lease
}

export interface RuleMove {
  readonly workspace: WorkspaceId
  readonly id: RuleId
  readonly before: RuleId | null
}

/** Questions to people, and the rules that answer in their place. */
export interface PeopleStore {
  interaction(workspace: WorkspaceId, id: InteractionId): Promise<Interaction | null>
  /** Returns questions, oldest first. */
  interactions(
    workspace: WorkspaceId,
    filter: { state?: Interaction['state'] | undefined; session?: SessionId | undefined },
    page: PageRequest,
  ): Promise<RowPage<Interaction>>
  /** Returns rules in the order in which they are tried. */
  rules(workspace: WorkspaceId): Promise<Rule[]>
  /** Adds a rule before `before`, or at the end. */
  addRule(rule: Rule, before: RuleId | null, now: number): Promise<Rule>
  /** Moves a rule before `before`, or to the end. Returns null without the rule. */
  moveRule(move: RuleMove, now: number): Promise<Rule | null>
  removeRule(workspace: WorkspaceId, id: RuleId, now: number): Promise<boolean>
}
