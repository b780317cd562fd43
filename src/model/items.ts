import { z } from 'zod'
import { ChangedPath, ContentBlock, HalfDone } from './events.ts'
import { Counts, FilePath } from './history.ts'
import { ActId, AgentId, InteractionId, Millis, ProjectId, PromptId, RunId, SessionId } from './ids.ts'
import { Answer, InteractionState, Question } from './interaction.ts'
import { RunOutcome, RunState, Who } from './tree.ts'

/**
 * The folded entries of a session, as people see them. `n` is the `seq` of the event that made the item: it is its
 * identity, its place in the order and its permalink. `seq` is the last event that changed it, so that a page of
 * items and the events that follow can overlap without harm.
 */
const base = {
  n: z.number().int(),
  seq: z.number().int(),
  at: Millis,
  run: RunId.nullable(),
}

/** Texts longer than this are cut in the middle and the cut is said; the log keeps the whole. */
export const CLIP_BYTES = 65_536
/** A streamed text goes on in a new item past this size, so that what is written again at each update stays small. */
export const SPLIT_CHARS = 12_000

export const RunItem = z.object({
  ...base,
  kind: z.literal('run'),
  prompt: PromptId,
  content: z.array(ContentBlock),
  by: Who.nullable(),
  agent: AgentId,
  state: RunState,
  outcome: RunOutcome.nullable(),
  stopReason: z.string().nullable(),
  startedAt: Millis.nullable(),
  endedAt: Millis.nullable(),
  usage: z.record(z.string(), z.unknown()).nullable(),
  error: z.object({ message: z.string(), stderr: z.string().nullable(), next: z.string().nullable() }).nullable(),
  halfDone: z.array(HalfDone),
})
export type RunItem = z.infer<typeof RunItem>

export const MessageItem = z.object({
  ...base,
  kind: z.literal('message'),
  /** `user`: what a person said into a running run. What began the run stands in its run item. */
  role: z.enum(['agent', 'user']),
  text: z.string(),
  /** Blocks that are no text, in the order said. */
  blocks: z.array(z.unknown()),
  /** This item goes on where the one before it stopped: show them as one. */
  continues: z.boolean(),
})
export type MessageItem = z.infer<typeof MessageItem>

export const ThoughtItem = z.object({
  ...base,
  kind: z.literal('thought'),
  text: z.string(),
  continues: z.boolean(),
  endedAt: Millis.nullable(),
})
export type ThoughtItem = z.infer<typeof ThoughtItem>

export const ToolItem = z.object({
  ...base,
  kind: z.literal('tool'),
  toolCallId: z.string(),
  title: z.string(),
  /** ACP's tool kind as said: read, edit, delete, move, search, execute, think, fetch, switch_mode, other ... */
  toolKind: z.string(),
  /** ACP's status as said; `interrupted` when its run ended first. */
  status: z.string(),
  /** ACP tool content as said (content, diff, terminal), clipped. */
  content: z.array(z.unknown()),
  locations: z.array(z.object({ path: z.string(), line: z.number().nullish() })),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  /** How much of content, input and output was left out of this item, in UTF-16 units; the log keeps it. */
  clipped: z.object({ content: z.number().int(), input: z.number().int(), output: z.number().int() }).optional(),
  /** The sum of `clipped`. */
  clippedBytes: z.number().int(),
  /** A rule that answered for it, in words. */
  ruled: z.string().nullable(),
  startedAt: Millis,
  endedAt: Millis.nullable(),
})
export type ToolItem = z.infer<typeof ToolItem>

export const PlanItem = z.object({
  ...base,
  kind: z.literal('plan'),
  entries: z.array(z.object({ content: z.string(), priority: z.string(), status: z.string() })),
})
export type PlanItem = z.infer<typeof PlanItem>

export const QuestionItem = z.object({
  ...base,
  kind: z.literal('question'),
  interaction: InteractionId,
  agent: AgentId,
  state: InteractionState,
  question: Question,
  expiresAt: Millis.nullable(),
  answer: Answer.nullable(),
  answeredBy: Who.nullable(),
  answeredAt: Millis.nullable(),
  /** The agent has had the answer (`grant.used`). */
  used: z.boolean(),
})
export type QuestionItem = z.infer<typeof QuestionItem>

export const NoticeItem = z.object({
  ...base,
  kind: z.literal('notice'),
  level: z.enum(['info', 'warning', 'error']),
  text: z.string(),
  data: z.unknown().optional(),
})
export type NoticeItem = z.infer<typeof NoticeItem>

/** What a run changed, one for each run that changed something. It grows while the run goes on. */
export const FilesItem = z.object({
  ...base,
  kind: z.literal('files'),
  /** The key of the place; empty in logs from before histories had places. */
  place: z.string(),
  /** Snapshots: before the run, and the newest it is known by. */
  before: z.number().int(),
  after: z.number().int(),
  counts: Counts,
  /** At most 50 of them; the history knows them all. */
  files: z.array(ChangedPath),
  /** Other sessions that changed the same paths at the same time. */
  conflicts: z.array(z.object({ session: SessionId, run: RunId, paths: z.array(FilePath) })),
})
export type FilesItem = z.infer<typeof FilesItem>

/** A restore, undo or apply that concerns this session. */
export const ActItem = z.object({
  ...base,
  kind: z.literal('act'),
  act: ActId,
  by: Who,
  /** `restored`: went back. `undone`: this session's work was taken back. `taken`: overwritten on the way. `applied`: brought over. */
  what: z.enum(['restored', 'undone', 'taken', 'applied']),
  place: z.string(),
  before: z.number().int(),
  after: z.number().int(),
  count: z.number().int(),
  paths: z.array(FilePath),
  /** Of `applied`: whose place it came from. */
  project: ProjectId.nullable(),
})
export type ActItem = z.infer<typeof ActItem>

/** An update of a kind that Carrel does not know: shown folded, as said. */
export const RawItem = z.object({ ...base, kind: z.literal('raw'), name: z.string(), update: z.unknown() })
export type RawItem = z.infer<typeof RawItem>

export const Item = z.discriminatedUnion('kind', [
  RunItem,
  MessageItem,
  ThoughtItem,
  ToolItem,
  PlanItem,
  QuestionItem,
  NoticeItem,
  FilesItem,
  ActItem,
  RawItem,
])
export type Item = z.infer<typeof Item>
