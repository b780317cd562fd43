import type { Outcome, Request } from '../../src/model/events/events.ts'
import { parseEvent } from '../../src/model/events/events.ts'
import { foldAll } from '../../src/model/events/fold.ts'
import type { Item } from '../../src/model/events/items.ts'
import { emptyView, headline, type SessionView } from '../../src/model/events/view.ts'
import {
  ActId,
  InteractionId,
  ProjectId,
  PromptId,
  RuleId,
  RunId,
  SessionId,
  SpaceId,
  WorkspaceId,
} from '../../src/model/ids.ts'
import type { Question } from '../../src/model/interaction.ts'
import {
  directPlace,
  type Headline,
  type Project,
  type Session,
  type Space,
  type Workspace,
} from '../../src/model/tree.ts'
import type { Lease } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'

/** The start of every test of a store: well-formed ids, a workspace with a Space and a Project, texts to write. */
export const WHO = { name: 'ada', kind: 'person', face: 'web' } as const
export const AGENT = 'scripted'
const DAY_MS = 86_400_000

let count = 0
const tail = () => (++count).toString(36).padStart(26, '0')
export const newWorkspace = () => WorkspaceId.parse(`w${tail()}`)
export const newSpace = () => SpaceId.parse(`spc_${tail()}`)
export const newProject = () => ProjectId.parse(`prj_${tail()}`)
export const newSession = () => SessionId.parse(`ses_${tail()}`)
export const newPrompt = () => PromptId.parse(`pmt_${tail()}`)
export const newRun = () => RunId.parse(`run_${tail()}`)
export const newInteraction = () => InteractionId.parse(`int_${tail()}`)
export const newAct = () => ActId.parse(`act_${tail()}`)
export const newRule = () => RuleId.parse(`rul_${tail()}`)

export interface World {
  readonly workspace: Workspace
  readonly space: Space
  readonly project: Project
  /** Makes another session. */
  session(name?: string, now?: number): Promise<Session>
}

/** Makes a tenant, so that tests on one store do not meet. */
export async function makeWorld(store: Store, now = 1): Promise<World> {
  const workspace = { id: newWorkspace(), name: 'Home', createdAt: now, archivedAt: null }
  await store.tree.createWorkspace(workspace, now)
  const space = spaceOf(workspace.id, now)
  await store.tree.createSpace(space, space.folder, now)
  const project = projectOf(space, now)
  await store.tree.createProject(project, now)
  return {
    workspace,
    space,
    project,
    session: (name = 'Talk', at = now) => store.tree.createSession(sessionOf(project, name, at), at),
  }
}

export function spaceOf(workspace: WorkspaceId, now: number): Space {
  const id = newSpace()
  const folder = `/work/${id}`
  const place = { kind: 'folder', folder, state: 'present', machine: null } as const
  return { id, workspace, name: 'Space', ...place, createdAt: now, archivedAt: null }
}

export function projectOf({ id, workspace, folder }: Space, now: number): Project {
  return {
    id: newProject(),
    workspace,
    space: id,
    name: 'Project',
    place: directPlace(folder),
    createdAt: now,
    archivedAt: null,
  }
}

export function sessionOf(project: Project, name: string, now: number): Session {
  return {
    id: newSession(),
    workspace: project.workspace,
    space: project.space,
    project: project.id,
    name,
    namedBy: 'default',
    agent: AGENT,
    state: 'idle',
    questions: 0,
    queued: 0,
    head: 0,
    lastRun: null,
    changed: 0,
    forkedFrom: null,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    archivedAt: null,
  }
}

export function ask(words = 'do it', prompt = newPrompt(), busy: 'queue' | 'reject' = 'queue') {
  const content = [{ type: 'text' as const, text: words }]
  return { type: 'prompt.requested', data: { prompt, content, agent: AGENT, busy, by: WHO } } satisfies Request
}

export const withdraw = (prompt: PromptId): Request => ({ type: 'withdrawal.requested', data: { prompt, by: WHO } })
export const answer = (interaction: InteractionId, option = 'yes', name = 'ada'): Request => ({
  type: 'interaction.answered',
  data: { interaction, answer: { option }, by: { ...WHO, name } },
})

export const admitted = (run: RunId, prompt: PromptId): Outcome => ({
  type: 'run.admitted',
  data: { run, prompt, agent: AGENT, place: { kind: 'direct', path: '/work' }, budgetMs: null },
})
export const started = (run: RunId): Outcome => ({ type: 'run.started', data: { run, acpSession: 'acp-1' } })
export const ended = (run: RunId, outcome: 'completed' | 'failed' | 'lost' = 'completed'): Outcome => ({
  type: 'run.ended',
  data: { run, outcome, stopReason: 'end_turn', usage: null, error: null, halfDone: [] },
})
export const said = (text: string): Outcome => ({
  type: 'agent.update',
  data: {
    acp: 1,
    agent: AGENT,
    update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } },
  },
})
export const changed = (run: RunId, n: number, ...paths: string[]): Outcome => ({
  type: 'snapshot.taken',
  data: {
    run,
    place: 'space:x',
    from: 1,
    n,
    reason: 'tool',
    counts: { created: 0, modified: paths.length, deleted: 0 },
    files: paths.map((path) => ({ path, change: 'modified' })),
  },
})
export const opened = (interaction: InteractionId, run: RunId): Outcome => ({
  type: 'interaction.opened',
  data: { interaction, run, agent: AGENT, question: QUESTION, fingerprint: 'f', expiresAt: null },
})

const QUESTION: Question = {
  kind: 'permission',
  title: 'May I?',
  body: null,
  options: [{ id: 'yes', label: 'Yes', kind: 'allow_once' }],
  toolCallId: null,
  toolKind: null,
  paths: [],
  command: null,
}

/** Takes the session for `holder`; a test that calls this knows that the session is free. */
export async function take(store: Store, session: SessionId, holder = 'node-1', now = 0): Promise<Lease> {
  const lease = await store.leases.acquire(`session:${session}`, holder, DAY_MS, now)
  if (!lease) throw new Error(`${session} is held by somebody`)
  return lease
}

export interface Refolded {
  readonly view: SessionView
  readonly items: Map<number, Item>
  readonly headline: Headline
}

/** Folds the whole log from its first event. */
export async function refold(store: Store, session: SessionId): Promise<Refolded> {
  const items = new Map<number, Item>()
  const lines = await store.log.read(session, 0, 100_000)
  const events = lines.map(({ json }) => parseEvent(JSON.parse(json)))
  const { view } = foldAll(emptyView(session), events, items)
  const closed = events.find(({ type }) => type === 'session.closed')
  return { view, items, headline: headline(view, AGENT, closed?.at ?? null) }
}

/** Records `outcomes`; the store counts the headline. */
export async function write(store: Store, lease: Lease, session: Session, outcomes: Outcome[], now = 10) {
  return store.log.record(lease, session.id, { outcomes }, now)
}

/** Makes a session with a started run. */
export async function makeRunning(store: Store, world: World) {
  const session = await world.session()
  const lease = await take(store, session.id)
  const request = ask()
  const run = newRun()
  await store.log.submit(world.workspace.id, session.id, request, { now: 5 })
  await write(store, lease, session, [admitted(run, request.data.prompt), started(run)])
  return { session, lease, run, prompt: request.data.prompt }
}

/** Moves prompts back to their place in the first schema, as an older Carrel left them: one waits, one does not. */
const OLD_PROMPTS = `
  create table prompts (id text primary key, session text not null, state text not null, at bigint not null);
  insert into prompts (id, session, state, at) select id, session, 'queued', 5 from waiting_prompts;
  insert into prompts (id, session, state, at) select 'taken', id, 'taken', 5 from sessions limit 1;
  drop table waiting_prompts;`

/** Removes everything that came after the second schema: the database becomes an old one. */
export const WITHOUT_LATER = `${OLD_PROMPTS}
  alter table runs drop column spent_ms; alter table runs drop column spent_turns;
  alter table runs drop column spent_tokens; alter table runs drop column spent_cost;
  drop index events_admitted; drop table ports; drop table environment; drop table secrets; drop table acts_noted;
  alter table projects drop column place_state; alter table projects drop column place_driver;
  alter table projects drop column place_branch; alter table projects drop column place_note;
  alter table projects drop column place_record; alter table spaces drop column file_rules;
  alter table sessions drop column changed;
  drop table machines; drop index spaces_folder; drop index sessions_due; drop index sessions_wake;
  alter table spaces drop column machine; alter table sessions drop column machine;
  create unique index spaces_folder on spaces (folder_key);
  create index sessions_due on sessions (due_since) where due = 1;
  create index sessions_wake on sessions (wake_at) where wake_at is not null;`
