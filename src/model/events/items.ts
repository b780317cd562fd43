import { z } from 'zod'
import { Counts, FilePath } from '../files/history.ts'
import { ActId, AgentId, InteractionId, Millis, ProjectId, PromptId, RunId, SessionId } from '../ids.ts'
import { Answer, InteractionState, Question } from '../interaction.ts'
import { RunOutcome, RunState, Who } from '../tree.ts'
import { ChangedPath, ContentBlock, HalfDone } from './events.ts'

/**
 * Items of a session: its folded entries, as people see them. `n`, the `seq` of the creating event, is the identity,
 * the order and the permalink of an item. `seq` is the last event that changed it, so that a page of items and the
 * events that follow may overlap.
 */
const base = {
  n: z.number().int(),
  seq: z.number().int(),
  at: Millis,
  run: RunId.nullable(),
  /** The agent sent it after the end of `run`: it is no part of the run's answer. */
  afterword: z.literal(true).optional(),
}

/** Longer texts are cut in the middle, with a note; the log keeps the whole. */
export const CLIP_BYTES = 65_536
/** A streamed text continues in a new item past this size, so that each update rewrites little. */
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
  /** Time at work without that of waiting for a person, ms; absent before the end, and where nothing was counted. */
  workedMs: z.number().optional(),
  usage: z.record(z.string(), z.unknown()).nullable(),
  error: z.object({ message: z.string(), stderr: z.string().nullable(), next: z.string().nullable() }).nullable(),
  halfDone: z.array(HalfDone),
})
export type RunItem = z.infer<typeof RunItem>

export const MessageItem = z.object({
  ...base,
  kind: z.literal('message'),
  /** `user`: text that a person sent to a running run. The prompt that started the run is in its run item. */
  role: z.enum(['agent', 'user']),
  text: z.string(),
  /** Blocks other than text, in order. */
  blocks: z.array(z.unknown()),
  /** This item continues the one before it; both are shown as one. */
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
  /** Tool kind of ACP, unmodified: read, edit, delete, move, search, execute, think, fetch, switch_mode, other. */
  toolKind: z.string(),
  /** Status of ACP, unmodified; `interrupted` when the run ended first. */
  status: z.string(),
  /** Tool content of ACP (content, diff, terminal), clipped. */
  content: z.array(z.unknown()),
  locations: z.array(z.object({ path: z.string(), line: z.number().nullish() })),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  /** Clipped amounts of content, input and output, in UTF-16 units; the log keeps the whole. */
  clipped: z.object({ content: z.number().int(), input: z.number().int(), output: z.number().int() }).optional(),
  /** The sum of `clipped`. */
  clippedBytes: z.number().int(),
  /** Verdict of a rule, as text; null when no rule answered. */
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
  /** The agent received the answer (`grant.used`). */
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

/** Changed files of a run. The item grows while the run continues. */
export const FilesItem = z.object({
  ...base,
  kind: z.literal('files'),
  /** Key of the place; empty in old logs, from before histories had places. */
  place: z.string(),
  /** Snapshot before the run, and the newest snapshot of the run (`after`). */
  before: z.number().int(),
  after: z.number().int(),
  counts: Counts,
  /** At most 50 paths; the history has all of them. */
  files: z.array(ChangedPath),
  /** Conflicts: other sessions that changed the same paths at the same time. */
  conflicts: z.array(z.object({ session: SessionId, run: RunId, paths: z.array(FilePath) })),
})
export type FilesItem = z.infer<typeof FilesItem>

/** Restore, undo or apply that affects this session. */
export const ActItem = z.object({
  ...base,
  kind: z.literal('act'),
  act: ActId,
  by: Who,
  /**
   * `restored`: the place was restored to a snapshot. `undone`: this session's work was undone.
   * `taken`: an act for other work overwrote this session's files. `applied`: changes reached the Space's folder.
   */
  what: z.enum(['restored', 'undone', 'taken', 'applied']),
  place: z.string(),
  before: z.number().int(),
  after: z.number().int(),
  count: z.number().int(),
  paths: z.array(FilePath),
  /** Source project of `applied`; else null. */
  project: ProjectId.nullable(),
})
export type ActItem = z.infer<typeof ActItem>

/** Unmodified update of an unknown kind, shown collapsed. */
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
