import type { Environment, EnvironmentChange, LeasedPort, SettingsScope } from '../model/environment.ts'
import type { Note, Outcome, Request } from '../model/events.ts'
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
import type { Item } from '../model/items.ts'
import type { Rule } from '../model/rules.ts'
import type { SearchHit } from '../model/search.ts'
import type { SealedSecret, Secret } from '../model/secrets.ts'
import type { Spent } from '../model/spending.ts'
import type { DeletePreview, NamedBy, Project, ProjectPlace, Run, Session, Space, Workspace } from '../model/tree.ts'
import type { SessionView } from '../model/view.ts'
import type { Claim, Lease, LeaseStore } from './lease.ts'

/**
 * What is remembered. Each method is one transaction; it resolves when that is committed to disk (L5), or rejects
 * and has changed nothing. Leases alone may be committed and not yet on the disk of an embedded database. Rows of one workspace never answer in another: every method that takes a `WorkspaceId`
 * looks inside it only, and what is another's is `null` or `not_found` (B1).
 * Time is an argument (`now`, ms since 1970): clocks decide liveness, tokens decide safety (S2).
 */
export interface Store {
  readonly engine: 'sqlite' | 'postgres'
  readonly tree: TreeStore
  readonly log: LogStore
  readonly leases: LeaseStore
  readonly people: PeopleStore
  readonly secrets: SecretStore
  readonly environment: EnvironmentStore
  readonly ports: PortStore
  /** Every commit that appended rings here, in this process; the bell carries it to others. */
  onAppend(listener: (ring: Ring) => void): () => void
  /** A consistent copy of the embedded database while it is in use; `unavailable` on Postgres. */
  backup(path: string): Promise<void>
  /** Figures for `carrel doctor`. */
  stats(): Promise<StoreStats>
  close(): Promise<void>
}

/**
 * What a commit appended: the last `seq` of a log, 0 when the log was removed. `due`: somebody asked for something, so
 * that whoever could take the session should look. What a holder records rings without it.
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

/** A list in pages. `cursor` is opaque and belongs to one workspace and one list (B1); null is the last page. */
export interface Page<T> {
  readonly rows: readonly T[]
  readonly cursor: string | null
}
export interface PageRequest {
  readonly cursor: string | null
  /** 1 to 500. */
  readonly limit: number
}

/** Workspaces, Spaces, Projects, Sessions. Each change writes its line in the workspace log in the same transaction. */
export interface TreeStore {
  /** Makes it, or returns the one that is there. */
  createWorkspace(workspace: Workspace, now: number): Promise<Workspace>
  workspaces(): Promise<Workspace[]>
  workspace(id: WorkspaceId): Promise<Workspace | null>
  updateWorkspace(
    id: WorkspaceId,
    patch: { name?: string; archivedAt?: number | null },
    now: number,
  ): Promise<Workspace>

  /** @throws bad_input when a live Space of this store already has the folder `folderKey` */
  createSpace(space: Space, folderKey: string, now: number): Promise<Space>
  spaces(workspace: WorkspaceId): Promise<Space[]>
  space(workspace: WorkspaceId, id: SpaceId): Promise<Space | null>
  /** Folders of all workspaces, for the rule that Spaces never lie in one another. */
  folders(): Promise<{ space: SpaceId; workspace: WorkspaceId; folder: string; folderKey: string }[]>
  updateSpace(
    workspace: WorkspaceId,
    id: SpaceId,
    patch: { name?: string; state?: Space['state']; archivedAt?: number | null },
    now: number,
  ): Promise<Space>

  createProject(project: Project, now: number): Promise<Project>
  projects(workspace: WorkspaceId, space?: SpaceId): Promise<Project[]>
  project(workspace: WorkspaceId, id: ProjectId): Promise<Project | null>
  updateProject(
    workspace: WorkspaceId,
    id: ProjectId,
    patch: { name?: string; archivedAt?: number | null },
    now: number,
  ): Promise<Project>

  /** Changes where the files of a project are; `record` is what the host opens it by, and stays when left out. */
  setPlace(
    workspace: WorkspaceId,
    id: ProjectId,
    change: { readonly place: ProjectPlace; readonly record?: unknown },
    now: number,
  ): Promise<Project>
  /** As it was given to `setPlace`; null where nothing was. */
  placeRecord(workspace: WorkspaceId, id: ProjectId): Promise<unknown>
  /** What people changed of the rules for files of a Space; null where they did not. */
  fileRules(workspace: WorkspaceId, id: SpaceId): Promise<unknown>
  setFileRules(workspace: WorkspaceId, id: SpaceId, rules: unknown): Promise<void>

  createSession(session: Session, now: number): Promise<Session>
  /**
   * A new session whose log is the first `seq` events of `from`, and then `session.forked`.
   * @throws not_found when `from` is not in the workspace, bad_input when `seq` is beyond its head
   */
  forkSession(from: SessionId, seq: number, session: Session, now: number): Promise<Session>
  session(workspace: WorkspaceId, id: SessionId): Promise<Session | null>
  /** Newest change first. */
  sessions(workspace: WorkspaceId, filter: SessionFilter, page: PageRequest): Promise<Page<Session>>
  updateSession(
    workspace: WorkspaceId,
    id: SessionId,
    patch: { name?: string; namedBy?: NamedBy; archivedAt?: number | null; agent?: string },
    now: number,
  ): Promise<Session>

  /** What `remove` would take. Counts are of live and archived rows. */
  preview(workspace: WorkspaceId, what: Branch): Promise<DeletePreview>
  /**
   * Removes a branch of the tree with its logs, items, interactions and runs, for good. Files are not touched here.
   * @throws busy while a run is under way in it
   */
  remove(workspace: WorkspaceId, what: Branch, now: number): Promise<DeletePreview>

  /** Lines of the workspace log after `after`, oldest first, at most `limit`, each a JSON text of a `WorkspaceEvent`. */
  readWorkspace(workspace: WorkspaceId, after: number, limit: number): Promise<Line[]>
  /** The last `seq` of the workspace log. */
  workspaceHead(workspace: WorkspaceId): Promise<number>
}

export interface SessionFilter {
  readonly space?: SpaceId | undefined
  readonly project?: ProjectId | undefined
  readonly archived?: boolean | undefined
  readonly state?: Session['state'] | undefined
  /** Part of the name, any case. */
  readonly text?: string | undefined
}

/** A Space, Project or Session and all below it. */
export type Branch =
  | { readonly space: SpaceId }
  | { readonly project: ProjectId }
  | { readonly session: SessionId }
  | { readonly workspace: true }

/** A stored event, ready for the wire: `json` is the whole object as text, never parsed on its way out. */
export interface Line {
  readonly seq: number
  readonly json: string
}

/** The logs of sessions and what is folded from them. */
export interface LogStore {
  /**
   * Appends what a caller wants and marks the session due. Needs no lease.
   * Checks inside the transaction: an edit or withdrawal only while its prompt waits (`gone`), an answer only while
   * its interaction is open (`already_answered`, with who and what in `data`), a cancel only for the run that is on (`gone`),
   * `reject` only when the session is free (`busy`), nothing but a `close.requested` repeat on a closed session (`gone`),
   * no prompt and no wish for options on one that is being closed (`gone`).
   * Rows that lists need (prompts, interactions, headline) change in the same transaction (I2).
   * @param key the caller's own key for this request: the same key and request again appends nothing and returns the
   *   first result with what was stored then (L2); another request under a used key is `bad_input`
   * @param begins what the holder says to it, appended behind it in the same transaction as `record` does, where the log
   *   ends at `after` before it and the lease is to be had; else the request stands alone, and `began` is null
   * @throws not_found when the session is not in the workspace
   */
  submit(
    workspace: WorkspaceId,
    session: SessionId,
    asked: Asked,
    options: { key?: string | undefined; now: number; begins?: Begins | null },
  ): Promise<Submitted>

  /**
   * Appends outcomes in order: all, or none when the lease was overtaken or has run out (`lease_lost`, L3).
   * `run.admitted` and `prompt.steered` take a prompt only while it waits (`gone`, nothing is written).
   * A second `run.ended` of one run is refused with `gone` (L4), and so is the expiry of a question that is not open (I1);
   * `run.admitted` beside a live run is `busy`. The session is due from then on, until it is settled.
   * Projections (runs, prompts, interactions, contexts, headline with its workspace line) change in the same transaction;
   * the headline is counted from those rows, so that what was submitted meanwhile is in it.
   * Under a claim the lease is taken first, in the same transaction: with a batch that is refused it is not taken.
   */
  record(right: Lease | Claim, session: SessionId, batch: Batch, now: number): Promise<Recorded>

  /**
   * Tells sessions of one Space what was done to their files: all, or none when the lease of the Space was overtaken or
   * has run out (`lease_lost`, L3). A session that was deleted meanwhile is left out; one of another Space is `not_found`.
   */
  note(lease: Lease, noted: Noted, now: number): Promise<void>
  /** The last act of a place that `note` was told with. */
  lastNoted(place: string): Promise<string | null>

  /**
   * Puts a session to rest: clears `due`, sets `wakeAt` and stores the fold, but only if nothing came after `fold.seq`
   * (L10).
   * @returns false when something came meanwhile: fold on, look again
   */
  settle(lease: Lease, session: SessionId, fold: FoldWrite, wakeAt: number | null, now: number): Promise<boolean>

  /** Events after `after`, oldest first, at most `limit`, as JSON texts. */
  read(session: SessionId, after: number, limit: number): Promise<Line[]>
  head(session: SessionId): Promise<number>
  /** The `seq` at which the last run below `before` was admitted, which is the `n` of its item; null when there is none. */
  lastAdmitted(session: SessionId, before: number): Promise<number | null>
  /** The stored fold; null when there is none of this version, and then it is made again from event 1. */
  fold(session: SessionId): Promise<{ view: SessionView; seq: number } | null>
  /** Stored items with `n` below `before` (null: the newest), newest first, at most `limit`. */
  items(session: SessionId, before: number | null, limit: number): Promise<Item[]>
  /** Stored items of these `n`; what is not there is left out. */
  itemsByN(session: SessionId, ns: readonly number[]): Promise<Item[]>
  /**
   * Stored items that have all words of `text`: the best first, of equals the newest. Quotes make a phrase, the last
   * word may go on from its second letter. Of what is found, the newest 2,000 are put in order. Items are indexed in the transaction that
   * stores them: what a session did since its stored fold (up to 256 events or a second while it runs) is not found
   * yet, nor is a text that is still being said, and nothing of a fork until it is first folded. A page goes on by position, so that a hit may show twice or
   * not at all when items come in between two pages.
   */
  search(
    workspace: WorkspaceId,
    filter: { text: string; session?: SessionId | undefined },
    page: PageRequest,
  ): Promise<Page<SearchHit>>
  /**
   * Looks at `limit` stored folds of sessions before `before` (null: from the newest on). Returns the sessions whose
   * fold has another version, newest first, and the last session that was looked at; null at the end.
   */
  staleFolds(before: SessionId | null, limit: number): Promise<{ sessions: SessionId[]; last: SessionId | null }>
  /** Replaces all stored items and the fold of a session: `carrel sessions rebuild`. */
  rebuild(session: SessionId, fold: FoldWrite): Promise<void>

  /** Archived before then, at rest, and with items stored: how many sessions, and how much their items take. */
  forgettableArchived(before: number): Promise<{ count: number; bytes: number }>
  /** Removes their items and folds, which are made again from the log when somebody opens them. */
  forgetArchived(before: number): Promise<{ count: number; bytes: number }>
  /** Sessions that have something to do, or whose `wakeAt` has come, and that nobody holds; longest waiting first. */
  due(now: number, limit: number): Promise<{ session: SessionId; workspace: WorkspaceId }[]>
  /** The earliest `wakeAt` in the future, and the earliest end of a lease of a due session; null when there is none. */
  nextWake(now: number): Promise<number | null>
  runs(
    workspace: WorkspaceId,
    filter: { session?: SessionId | undefined; live?: boolean | undefined },
    page: PageRequest,
  ): Promise<Page<Run>>
  run(workspace: WorkspaceId, id: RunId): Promise<Run | null>
  /** What runs used together, as far as they were parked or ended. */
  spent(workspace: WorkspaceId, of: SpentOf): Promise<Spent>
}

/** One session, project or Space; with none of them the whole workspace. */
export type SpentOf = Readonly<Partial<Record<'session' | 'project' | 'space', string>>>

export interface Submitted {
  readonly seq: number
  readonly at: number
  /** `data` as stored the first time, where this key was used before for the same request: nothing was written now. */
  readonly earlier: Request['data'] | null
  /** What was recorded behind it, where that was asked for and could be. */
  readonly began: Recorded | null
}

/** What a holder who knows the log up to `after` records behind a request, if nothing comes between. */
export interface Begins {
  readonly after: number
  readonly right: Lease | Claim
  readonly outcomes: readonly Outcome[]
}

type Prompt = Extract<Request, { type: 'prompt.requested' }>
/** What is asked of a session. A prompt that names no agent is for the one that was spoken to last. */
export type Asked =
  | Exclude<Request, Prompt>
  | { readonly type: Prompt['type']; readonly data: Omit<Prompt['data'], 'agent'> & { readonly agent: AgentId | null } }

export interface Batch {
  readonly outcomes: readonly Outcome[]
  /** The fold as of an earlier `seq`, where it is time to store it; later events are folded by whoever reads. */
  readonly fold?: FoldWrite | undefined
}

export interface Noted {
  /** Whose lease it is under. */
  readonly space: SpaceId
  readonly notes: readonly { readonly session: SessionId; readonly note: Note }[]
  /** Remembered in the same transaction, so that the notes of an act are written once and not forgotten. */
  readonly act?: { readonly place: string; readonly id: ActId } | undefined
}

/** View and changed items as of `seq`. Items equal the fold of the log up to there, always (L9). */
export interface FoldWrite {
  readonly seq: number
  readonly view: SessionView
  readonly items: readonly Item[]
}

export interface Recorded {
  /** `seq` of the first and the last outcome; those between are consecutive. */
  readonly first: number
  readonly last: number
  readonly at: number
  /** What they were written under. */
  readonly lease: Lease
}

export interface RuleMove {
  readonly workspace: WorkspaceId
  readonly id: RuleId
  readonly before: RuleId | null
}

/** Questions to people and the rules that answer for them. */
export interface PeopleStore {
  interaction(workspace: WorkspaceId, id: InteractionId): Promise<Interaction | null>
  /** Oldest first. */
  interactions(
    workspace: WorkspaceId,
    filter: { state?: Interaction['state'] | undefined; session?: SessionId | undefined },
    page: PageRequest,
  ): Promise<Page<Interaction>>
  /** In the order they are tried. */
  rules(workspace: WorkspaceId): Promise<Rule[]>
  /** Adds it before `before`, or at the end. */
  addRule(rule: Rule, before: RuleId | null, now: number): Promise<Rule>
  /** Puts it before `before`, or at the end. Null when it is not there. */
  moveRule(move: RuleMove, now: number): Promise<Rule | null>
  removeRule(workspace: WorkspaceId, id: RuleId, now: number): Promise<boolean>
}

/** Which secret: a name in a place. */
export type SecretHandle = Pick<Secret, 'workspace' | 'space' | 'project' | 'name'>

/** Secrets, sealed: the store never sees a value. */
export interface SecretStore {
  /** Stores it, in the place of what had its name there. @throws not_found when Workspace, Space or project is not there */
  put(secret: SealedSecret): Promise<Secret>
  remove(handle: SecretHandle): Promise<boolean>
  /** By name. */
  list(workspace: WorkspaceId): Promise<SealedSecret[]>
  /** Those of all workspaces that are sealed under another key than this one, behind `after`. */
  sealedOtherwise(key: string, after: SecretHandle | null, limit: number): Promise<SealedSecret[]>
  /** Puts a new seal in the place of `was`; false when it was changed or removed meanwhile. */
  reseal(secret: SealedSecret, was: string): Promise<boolean>
}

/** What each scope around a place says; what nobody set is empty. */
export interface ScopedEnvironment {
  readonly workspace: Environment
  readonly space: Environment
  readonly project: Environment
}

/** What runs are given, by scope. */
export interface EnvironmentStore {
  at(scope: SettingsScope): Promise<ScopedEnvironment>
  /** Returns what is said there now. @throws not_found when Workspace, Space or project is not there */
  change(scope: SettingsScope, change: EnvironmentChange, now: number): Promise<Environment>
}

/** Ports of places. A number is in one place at a time, whichever node leases it. */
export interface PortStore {
  /** Of one place, or with null of all in the workspace. */
  of(workspace: WorkspaceId, place: string | null): Promise<LeasedPort[]>
  /** The numbers that are leased in all workspaces. */
  taken(): Promise<number[]>
  /** @returns the number that the name has there now, maybe another's choice; null when this one went elsewhere meanwhile */
  lease(workspace: WorkspaceId, leased: LeasedPort, now: number): Promise<number | null>
  /** Gives back what a place had. Safe to repeat. */
  release(place: string): Promise<void>
}
