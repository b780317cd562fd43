import { z } from 'zod'
import { Counts, FilePath, SnapshotReason } from '../files/history.ts'
import { ActId, AgentId, InteractionId, Millis, ProjectId, PromptId, RuleId, RunId, SessionId } from '../ids.ts'
import { Answer, Question } from '../interaction.ts'
import { eventTypeNow } from '../old-names.ts'
import { Spent } from '../settings/spending.ts'
import { PlaceKind, RunOutcome, Who } from '../tree.ts'

/**
 * Events of a session's log. Any authorized caller may write requests; only the holder of the session's lease
 * writes outcomes.
 */

/** Fields that ACP allows in every block: they go to the agent as they are. */
const FOR_THE_AGENT = { annotations: z.looseObject({}).nullish(), _meta: z.looseObject({}).nullish() }

/** Content block of a prompt, as in ACP: `text`, `image`, `audio`, `resource_link`, `resource`. */
export const ContentBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string(), ...FOR_THE_AGENT }),
  z.object({
    type: z.literal('image'),
    data: z.string(),
    mimeType: z.string(),
    uri: z.string().nullish(),
    ...FOR_THE_AGENT,
  }),
  z.object({ type: z.literal('audio'), data: z.string(), mimeType: z.string(), ...FOR_THE_AGENT }),
  z.looseObject({ type: z.literal('resource_link'), uri: z.string(), name: z.string() }),
  z.looseObject({ type: z.literal('resource'), resource: z.looseObject({ uri: z.string() }) }),
])
export type ContentBlock = z.infer<typeof ContentBlock>

/** Effect of a prompt during a run: `queue` waits, `steer` joins the run, `interrupt` replaces it, `reject` fails. */
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
  /** New content for a queued prompt. Accepted only while the prompt is queued. */
  'edit.requested': z.object({ prompt: PromptId, content: z.array(ContentBlock).min(1), by: Who }),
  'withdrawal.requested': z.object({ prompt: PromptId, by: Who }),
  'cancel.requested': z.object({ run: RunId, by: Who }),
  'interaction.answered': z.object({ interaction: InteractionId, answer: Answer, by: Who }),
  /** Mode and options (model, thought level and others) of an agent in this session, by the agent's own ids. */
  'config.requested': z.object({
    agent: AgentId,
    mode: z.string().nullable(),
    options: z.record(z.string(), z.union([z.string(), z.boolean()])),
    by: Who,
  }),
  'close.requested': z.object({ by: Who }),
} as const

/**
 * Marks an afterword: the agent sent the message after the end of the run that the event names. Absent for messages of
 * a run under way.
 */
const afterword = z.literal(true).optional()

/** Unfinished tool call of a run that was cut off. A person must check its effects. */
export const HalfDone = z.object({ toolCallId: z.string(), title: z.string(), status: z.string() })
export type HalfDone = z.infer<typeof HalfDone>

/** Maximum number of paths in an event; the history has all of them. */
export const NAMED_PATHS = 50

export const ChangedPath = z.object({ path: FilePath, change: z.enum(['created', 'modified', 'deleted']) })
export type ChangedPath = z.infer<typeof ChangedPath>

/** Changes of a run from its start to a snapshot. Each event replaces the one before. */
const RunChanges = z.object({
  run: RunId,
  /** Key of the place: `space:<id>` or `project:<id>`. */
  place: z.string(),
  /** Snapshot before the run, and the snapshot of this event (`n`). */
  from: z.number().int(),
  n: z.number().int(),
  reason: SnapshotReason,
  counts: Counts,
  files: z.array(ChangedPath).max(NAMED_PATHS),
  afterword,
})
/** Format of old logs, from before histories had places. */
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
    /** Limit of work time at admission, in ms; null for no limit. */
    budgetMs: z.number().int().nullable(),
  }),
  /** Written before the prompt reaches the agent, so that no crash sends a prompt twice. */
  'run.started': z.object({ run: RunId, acpSession: z.string() }),
  /**
   * One unmodified ACP `session/update` of the agent, also of unknown kinds. `acp`: protocol version.
   * `via: 'permission'`: the tool call came with a permission request and no earlier update had named it.
   */
  'agent.update': z.object({
    acp: z.number().int(),
    agent: AgentId,
    update: z.unknown(),
    via: z.literal('permission').optional(),
    /** Number of its frame in the life of the agent process. A restarted server resumes after it. */
    frame: z.number().int().optional(),
    /**
     * The text of the call goes on: its characters `from` to `at` (its length until now) stay, and `text` follows them.
     * `update` then has no `content`. In UTF-16 units.
     */
    appended: z.object({ from: z.number().int(), at: z.number().int(), text: z.string() }).optional(),
    afterword,
  }),
  'interaction.opened': z.object({
    interaction: InteractionId,
    run: RunId,
    agent: AgentId,
    question: Question,
    fingerprint: z.string(),
    expiresAt: Millis.nullable(),
    afterword,
  }),
  /** `answer`: the default that took effect. */
  'interaction.expired': z.object({ interaction: InteractionId, answer: Answer }),
  'interaction.withdrawn': z.object({ interaction: InteractionId, reason: z.string() }),
  /** The agent asked the same question again and received the stored answer. */
  'grant.used': z.object({ interaction: InteractionId, run: RunId, toolCallId: z.string().nullable() }),
  /** A rule answered in place of a person. */
  'permission.ruled': z.object({
    run: RunId,
    rule: RuleId,
    action: z.enum(['allow', 'deny']),
    toolCallId: z.string().nullable(),
    title: z.string(),
    afterword,
  }),
  /** `spent`: usage of the run so far. */
  'run.parked': z.object({ run: RunId, reason: z.string(), spent: Spent.optional() }),
  'run.resumed': z.object({ run: RunId, acpSession: z.string() }),
  'run.ended': z.object({
    run: RunId,
    outcome: RunOutcome,
    stopReason: z.string().nullable(),
    /** Tokens and cost, unmodified, where the agent reported them. */
    usage: z.record(z.string(), z.unknown()).nullable(),
    /** Reason as a sentence, the end of the agent's stderr, and the next step for a person. */
    error: z.object({ message: z.string(), stderr: z.string().nullable(), next: z.string().nullable() }).nullable(),
    halfDone: z.array(HalfDone),
    /** Total usage, as far as it was counted. */
    spent: Spent.optional(),
  }),
  'prompt.steered': z.object({ prompt: PromptId, run: RunId }),
  /** A steering prompt could not join its run and is next in the queue. */
  'prompt.deferred': z.object({ prompt: PromptId, reason: z.string() }),
  'prompt.withdrawn': z.object({ prompt: PromptId, reason: z.string() }),
  'context.opened': z.object({
    agent: AgentId,
    acpSession: z.string(),
    fingerprint: z.string(),
    /** `new`: empty context. `resumed`: the agent's own memory. `primed`: the agent received the transcript as text. */
    how: z.enum(['new', 'resumed', 'primed']),
    /** The agent's unmodified answers to `initialize` (`info`) and `session/new` (`opened`). */
    info: z.unknown(),
    opened: z.unknown(),
    keeper: z.string().optional(),
    /** Id of the machine whose agent has the conversation. Absent in events of schema 11 and earlier. */
    machine: z.string().optional(),
  }),
  'context.lost': z.object({ agent: AgentId, reason: z.string() }),
  /** Settings of a `config.requested` that took effect; `error` when the agent refused. */
  'config.applied': z.object({
    agent: AgentId,
    mode: z.string().nullable(),
    options: z.record(z.string(), z.union([z.string(), z.boolean()])),
    error: z.string().nullable(),
  }),
  /** Notice for a person that is not an error of a run, such as important stderr or a frame that is not JSON. */
  'notice.given': z.object({
    level: z.enum(['info', 'warning', 'error']),
    text: z.string(),
    data: z.unknown().optional(),
    afterword,
  }),
  /**
   * The work that an agent goes on with after the end of its run. `work` names each part; empty once nothing is left.
   * `cut`: the sentence that says why Carrel ended the work; null where it ended by itself.
   */
  'background.changed': z.object({
    run: RunId,
    agent: AgentId,
    work: z.array(z.string()).max(NAMED_PATHS),
    cut: z.string().nullable(),
  }),
  'snapshot.taken': SnapshotTaken,
  'session.closed': z.object({ reason: z.string() }),
  /** The log up to here is a copy of another session's log; nothing in it continues. */
  'session.forked': z.object({ from: SessionId, seq: z.number().int() }),
} as const

const ofAct = {
  act: ActId,
  by: Who,
  place: z.string(),
  /** Snapshots before and after the act. */
  before: z.number().int(),
  after: z.number().int(),
  /** Number of affected paths of this session; `paths` names at most 50. */
  count: z.number().int(),
  paths: z.array(FilePath).max(NAMED_PATHS),
}

/** File operations from outside a run. Written under the lease of the Space, into the logs of all affected sessions. */
const NOTES = {
  /** The work of this session was undone, or the place was restored to an earlier snapshot. */
  'files.restored': z.object({ ...ofAct, how: z.enum(['restore', 'undo']) }),
  /** An act for other work overwrote files that this session had written. */
  'files.taken': z.object(ofAct),
  /** The changes of this session's project were applied to the Space's folder. */
  'files.applied': z.object({ ...ofAct, project: ProjectId }),
  /** Another running session changed the same paths. */
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

/** Events that callers submit. */
export type Request = DataOf<typeof REQUESTS>
/** Events that the holder of the lease records. */
export type Outcome = DataOf<typeof OUTCOMES>
export type Note = DataOf<typeof NOTES>
export type EventType = keyof typeof EVENTS

interface Envelope {
  readonly session: SessionId
  /** 1, 2, 3 and so on without gaps; assigned by the database. */
  readonly seq: number
  readonly at: Millis
  /** Run of the event; null for none. */
  readonly run: RunId | null
}
type Stored<E> = E extends { type: infer T; data: infer D } ? Envelope & { readonly type: T; readonly data: D } : never

/** One line of a session's log. The wire carries the stored object unchanged. */
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

/** An event as the log stores it and the wire carries it, one shape for each type. */
export const StoredEvent = z
  .discriminatedUnion(
    'type',
    Object.entries(EVENTS).map(([type, data]) => EnvelopeShape.extend({ type: z.literal(type), data })) as unknown as [
      z.ZodObject<{ type: z.ZodLiteral<EventType> }>,
    ],
  )
  .describe('Event of a session. A log of an earlier version may have earlier forms of `data`.')

/**
 * Parses an event from outside this process: a row of an older version, or a frame of a stream.
 * An unknown type passes unchanged, since a newer server may send more types; the fold ignores it.
 * @throws ZodError when an event of a known type does not match its schema
 */
export function parseEvent(raw: unknown): Event {
  const { type, ...rest } = EnvelopeShape.parse(raw)
  const envelope = { ...rest, type: eventTypeNow(type) }
  const shape = Object.hasOwn(EVENTS, envelope.type) ? (EVENTS[envelope.type as EventType] as z.ZodType) : null
  return { ...envelope, data: shape ? shape.parse(envelope.data) : envelope.data } as unknown as Event
}

export function runOf(event: Request | Outcome | Note): RunId | null {
  if (event.run !== undefined) return event.run
  return (event.data as { run?: RunId }).run ?? null
}
