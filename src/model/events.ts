import { z } from 'zod'
import { Counts, FilePath, SnapshotReason } from './history.ts'
import { ActId, AgentId, InteractionId, Millis, ProjectId, PromptId, RuleId, RunId, SessionId } from './ids.ts'
import { Answer, Question } from './interaction.ts'
import { eventTypeNow } from './old-names.ts'
import { Spent } from './spending.ts'
import { PlaceKind, RunOutcome, Who } from './tree.ts'

/**
 * Everything that happens to a session is one of these, in its log, in order.
 * Requests may be written by anybody allowed; outcomes only by the holder of the session's lease.
 */

/** A block of a prompt, as ACP has it: `text`, `image`, `audio`, `resource_link`, `resource`. */
export const ContentBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image'), data: z.string(), mimeType: z.string(), uri: z.string().nullish() }),
  z.object({ type: z.literal('audio'), data: z.string(), mimeType: z.string() }),
  z.looseObject({ type: z.literal('resource_link'), uri: z.string(), name: z.string() }),
  z.looseObject({ type: z.literal('resource'), resource: z.looseObject({ uri: z.string() }) }),
])
export type ContentBlock = z.infer<typeof ContentBlock>

/** What a prompt does when a run is on: wait its turn, join the run, replace it, or be refused. */
export const BusyPolicy = z.enum(['queue', 'steer', 'interrupt', 'reject'])
export type BusyPolicy = z.infer<typeof BusyPolicy>

const REQUESTS = {
  'prompt.requested': z.object({
    prompt: PromptId,
    content: z.array(ContentBlock).min(1),
    agent: AgentId,
    busy: BusyPolicy,
    by: Who,
  }),
  /** Another text for a prompt that still waits. Accepted only while it does. */
  'edit.requested': z.object({ prompt: PromptId, content: z.array(ContentBlock).min(1), by: Who }),
  /** Takes back a prompt that still waits. */
  'withdrawal.requested': z.object({ prompt: PromptId, by: Who }),
  'cancel.requested': z.object({ run: RunId, by: Who }),
  'interaction.answered': z.object({ interaction: InteractionId, answer: Answer, by: Who }),
  /** Mode and options (model, thought level ...) for an agent in this session, in the agent's own ids. */
  'config.requested': z.object({
    agent: AgentId,
    mode: z.string().nullable(),
    options: z.record(z.string(), z.union([z.string(), z.boolean()])),
    by: Who,
  }),
  'close.requested': z.object({ by: Who }),
} as const

/** A tool call that had begun and has no end: what a person must look at after a cut. */
export const HalfDone = z.object({ toolCallId: z.string(), title: z.string(), status: z.string() })
export type HalfDone = z.infer<typeof HalfDone>

/** How many paths an event names; the history knows them all. */
export const NAMED_PATHS = 50

/** A path and what became of it. */
export const ChangedPath = z.object({ path: FilePath, change: z.enum(['created', 'modified', 'deleted']) })
export type ChangedPath = z.infer<typeof ChangedPath>

/** What a run changed until a snapshot, from its start on: each one replaces the one before it. */
const RunChanges = z.object({
  run: RunId,
  /** The key of its place: `space:<id>` or `project:<id>`. */
  place: z.string(),
  /** The snapshot from before the run, and the one this is about. */
  from: z.number().int(),
  n: z.number().int(),
  reason: SnapshotReason,
  counts: Counts,
  files: z.array(ChangedPath).max(NAMED_PATHS),
})
/** As it was before histories had places. */
const OldSnapshot = z
  .object({ snapshot: z.number().int(), changed: z.number().int(), reason: z.string() })
  .transform(({ snapshot, changed }) => ({
    run: null,
    place: '',
    from: snapshot,
    n: snapshot,
    reason: 'asked' as const,
    counts: { created: 0, modified: changed, deleted: 0 },
    files: [],
  }))
const SnapshotTaken = z.union([RunChanges, OldSnapshot])

const OUTCOMES = {
  'run.admitted': z.object({
    run: RunId,
    prompt: PromptId,
    agent: AgentId,
    place: z.object({ kind: PlaceKind, path: z.string() }),
    /** Time at work that the run may take when it is admitted, in ms; null for no limit. */
    budgetMs: z.number().int().nullable(),
  }),
  /** Written before the prompt reaches the agent, so that a crash in between asks nobody twice. */
  'run.started': z.object({ run: RunId, acpSession: z.string() }),
  /**
   * One ACP `session/update` as the agent said it, also of kinds nobody knows. `acp` is the protocol version.
   * `via: 'permission'`: the tool call stood in a permission request, and nothing else had said it before.
   */
  'agent.update': z.object({
    acp: z.number().int(),
    agent: AgentId,
    update: z.unknown(),
    via: z.literal('permission').optional(),
    /** The number of the frame that said it, in the life of the agent's process: what a server that comes back goes on from. */
    frame: z.number().int().optional(),
  }),
  'interaction.opened': z.object({
    interaction: InteractionId,
    run: RunId,
    agent: AgentId,
    question: Question,
    fingerprint: z.string(),
    expiresAt: Millis.nullable(),
  }),
  /** `answer` is the default that took effect. */
  'interaction.expired': z.object({ interaction: InteractionId, answer: Answer }),
  'interaction.withdrawn': z.object({ interaction: InteractionId, reason: z.string() }),
  /** A stored answer was given to the agent that asked the same question again. */
  'grant.used': z.object({ interaction: InteractionId, run: RunId, toolCallId: z.string().nullable() }),
  /** A rule answered in a person's place. */
  'permission.ruled': z.object({
    run: RunId,
    rule: RuleId,
    action: z.enum(['allow', 'deny']),
    toolCallId: z.string().nullable(),
    title: z.string(),
  }),
  /** `spent`: what the run has used so far. */
  'run.parked': z.object({ run: RunId, reason: z.string(), spent: Spent.optional() }),
  'run.resumed': z.object({ run: RunId, acpSession: z.string() }),
  'run.ended': z.object({
    run: RunId,
    outcome: RunOutcome,
    stopReason: z.string().nullable(),
    /** Tokens and cost where the agent told, as it told them. */
    usage: z.record(z.string(), z.unknown()).nullable(),
    /** Why, in a sentence, with the end of the agent's stderr and what to do next. */
    error: z.object({ message: z.string(), stderr: z.string().nullable(), next: z.string().nullable() }).nullable(),
    halfDone: z.array(HalfDone),
    /** What it used in all, as far as that was counted. */
    spent: Spent.optional(),
  }),
  'prompt.steered': z.object({ prompt: PromptId, run: RunId }),
  /** A prompt meant to steer could not: it is next in the queue instead. */
  'prompt.deferred': z.object({ prompt: PromptId, reason: z.string() }),
  'prompt.withdrawn': z.object({ prompt: PromptId, reason: z.string() }),
  'context.opened': z.object({
    agent: AgentId,
    acpSession: z.string(),
    fingerprint: z.string(),
    /** `new`: nothing to remember; `resumed`: the agent's own memory; `primed`: the transcript was given as text. */
    how: z.enum(['new', 'resumed', 'primed']),
    /** The agent's name and version, its answer to initialize and to session/new, as said. */
    info: z.unknown(),
    opened: z.unknown(),
    /** Names the keeper that holds the process. */
    keeper: z.string().optional(),
  }),
  'context.lost': z.object({ agent: AgentId, reason: z.string() }),
  /** What of a `config.requested` took effect; `error` when the agent refused. */
  'config.applied': z.object({
    agent: AgentId,
    mode: z.string().nullable(),
    options: z.record(z.string(), z.union([z.string(), z.boolean()])),
    error: z.string().nullable(),
  }),
  /** Something a person should know that is no error of a run: stderr of note, a frame that was no JSON. */
  'notice.given': z.object({
    level: z.enum(['info', 'warning', 'error']),
    text: z.string(),
    data: z.unknown().optional(),
  }),
  'snapshot.taken': SnapshotTaken,
  'session.closed': z.object({ reason: z.string() }),
  /** The log up to here was copied from another session; nothing of it goes on by itself. */
  'session.forked': z.object({ from: SessionId, seq: z.number().int() }),
} as const

const ofAct = {
  act: ActId,
  by: Who,
  place: z.string(),
  /** The snapshot before the act and the one after it. */
  before: z.number().int(),
  after: z.number().int(),
  /** How many paths of this session it is about; at most 50 are named. */
  count: z.number().int(),
  paths: z.array(FilePath).max(NAMED_PATHS),
}

/** Written under the lease of the Space, into the logs of all it concerns: what was done to files from outside a run. */
const NOTES = {
  /** What this session did was taken back, or the place went back to an earlier snapshot. */
  'files.restored': z.object({ ...ofAct, how: z.enum(['restore', 'undo']) }),
  /** Files that this session had written were overwritten by an act that was about something else. */
  'files.taken': z.object(ofAct),
  /** What this session's project did in its own place is in the Space's folder now. */
  'files.applied': z.object({ ...ofAct, project: ProjectId }),
  /** Another session at work changed the same paths. */
  'files.conflicted': z.object({
    place: z.string(),
    paths: z.array(FilePath).max(NAMED_PATHS),
    other: z.object({ session: SessionId, run: RunId }),
  }),
} as const

export const EVENTS = { ...REQUESTS, ...OUTCOMES, ...NOTES } as const

type DataOf<Table extends Record<string, z.ZodType>> = {
  [Type in keyof Table]: { readonly type: Type; readonly data: z.infer<Table[Type]>; readonly run?: RunId | null }
}[keyof Table]

/** What callers submit. */
export type Request = DataOf<typeof REQUESTS>
/** What the holder of the lease records. */
export type Outcome = DataOf<typeof OUTCOMES>
export type Note = DataOf<typeof NOTES>
export type EventType = keyof typeof EVENTS

interface Envelope {
  readonly session: SessionId
  /** 1, 2, 3 ... without gaps; given by the database. */
  readonly seq: number
  readonly at: Millis
  /** The run it belongs to, null where it belongs to none. */
  readonly run: RunId | null
}
type Stored<E> = E extends { type: infer T; data: infer D } ? Envelope & { readonly type: T; readonly data: D } : never

/** A line of a session's log, as stored and as sent: the object on the wire is the stored one. */
export type Event = Stored<Request | Outcome | Note>
export type EventOf<T extends EventType> = Extract<Event, { type: T }>

export const isRequest = (type: string): type is Request['type'] => Object.hasOwn(REQUESTS, type)

const EnvelopeShape = z.looseObject({
  session: SessionId,
  seq: z.number().int().min(1),
  at: Millis,
  run: RunId.nullable(),
  type: z.string(),
  data: z.unknown(),
})

/**
 * Reads an event that came from outside this process: a row of an older version, a frame of a stream.
 * A type that is not known here is passed on as it is, since a newer server may say more; the fold leaves it alone.
 * @throws ZodError when a known type does not have its shape
 */
export function parseEvent(raw: unknown): Event {
  const { type, ...rest } = EnvelopeShape.parse(raw)
  const envelope = { ...rest, type: eventTypeNow(type) }
  const shape = Object.hasOwn(EVENTS, envelope.type) ? (EVENTS[envelope.type as EventType] as z.ZodType) : null
  return { ...envelope, data: shape ? shape.parse(envelope.data) : envelope.data } as unknown as Event
}

/** The run an event belongs to, where its data names one. */
export function runOf(event: Request | Outcome | Note): RunId | null {
  if (event.run !== undefined) return event.run
  return (event.data as { run?: RunId }).run ?? null
}
