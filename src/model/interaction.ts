import { z } from 'zod'
import { AgentId, InteractionId, Millis, RunId, SessionId, SpaceId, WorkspaceId } from './ids.ts'
import { Who } from './tree.ts'

/** Option of a question. `kind`: its meaning; unknown kinds are kept unchanged. */
export const Option = z.object({
  id: z.string(),
  label: z.string(),
  kind: z.string().default('other'),
})
export type Option = z.infer<typeof Option>

/**
 * Question of an agent to a person. `permission`: allow or refuse an act. `choice`: one of several options.
 * `form`: values by a JSON schema.
 */
export const Question = z.object({
  kind: z.enum(['permission', 'choice', 'form']),
  title: z.string(),
  /** Details in Markdown; null when the agent gave none. */
  body: z.string().nullable(),
  options: z.array(Option),
  /** JSON schema of a form's values, unmodified. */
  schema: z.unknown().optional(),
  /** Tool call in question, unmodified: the basis of a person's decision. */
  toolCall: z.unknown().optional(),
  toolCallId: z.string().nullable(),
  toolKind: z.string().nullable(),
  /** Paths that the call would touch, as named by the agent. */
  paths: z.array(z.string()),
  command: z.string().nullable(),
})
export type Question = z.infer<typeof Question>

/** Answer to a question. `option`: for permission and choice. `values`: for a form. `declined`: the person skipped it. */
export const Answer = z.union([
  z.object({ option: z.string() }),
  z.object({ values: z.record(z.string(), z.unknown()) }),
  z.object({ declined: z.literal(true) }),
])
export type Answer = z.infer<typeof Answer>

export const InteractionState = z.enum(['open', 'answered', 'expired', 'withdrawn'])
export type InteractionState = z.infer<typeof InteractionState>

export const Interaction = z.object({
  id: InteractionId,
  workspace: WorkspaceId,
  space: SpaceId,
  session: SessionId,
  run: RunId,
  agent: AgentId,
  state: InteractionState,
  question: Question,
  openedAt: Millis,
  /** Time at which the default takes effect; null for never. */
  expiresAt: Millis.nullable(),
  answer: Answer.nullable(),
  answeredBy: Who.nullable(),
  answeredAt: Millis.nullable(),
})
export type Interaction = z.infer<typeof Interaction>

/** Stored answer for an agent that asks the same question again after a resume. A grant is used once (I3). */
export interface Grant {
  readonly interaction: InteractionId
  /** Item of its question. */
  readonly n: number
  readonly fingerprint: string
  readonly answer: Answer
  /** The agent asked the question after the end of its run, and waits for the answer in the process that asked. */
  readonly afterword?: true
}

/**
 * Returns a fingerprint that is equal for questions about the same act: the kinds of question and tool, the command
 * (else the paths, else the title), and the diffs (without command and diff: the tool's input).
 * Ids of calls and options are excluded, since agents create new ones after a resume. In doubt fingerprints differ:
 * asking a person twice is the smaller harm.
 */
export function fingerprint(agent: string, question: Question): string {
  const act = question.command ?? (question.paths.length > 0 ? [...question.paths].sort().join('\n') : question.title)
  return JSON.stringify([agent, question.kind, question.toolKind ?? '', act, contentOf(question)])
}

function contentOf(question: Question): string {
  const { content, rawInput } = (question.toolCall ?? {}) as { content?: unknown; rawInput?: unknown }
  const diffs = (Array.isArray(content) ? content : [])
    .filter((part) => part?.type === 'diff')
    .map((part) =>
      JSON.stringify([part.path, checksum(String(part.oldText ?? '')), checksum(String(part.newText ?? ''))]),
    )
    .sort()
  const input = diffs.length === 0 && question.command === null ? checksum(ordered(rawInput ?? content, 0)) : ''
  const asked = question.kind === 'permission' ? '' : checksum(ordered(wordsOf(question), 0))
  return [...diffs, input, asked].join('\n')
}

const wordsOf = ({ body, schema, options }: Question): unknown => [body, schema, options.map(({ label }) => label)]

const CALL_IDS = /^(call|tool_?call|tool_?use|turn)_?id$/i

/** Serializes to JSON with sorted keys and without ids of calls. */
function ordered(value: unknown, depth: number): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (depth > 64) return '...'
  if (Array.isArray(value)) return `[${value.map((each) => ordered(each, depth + 1)).join()}]`
  const entries = Object.entries(value).filter(([key, each]) => each !== undefined && !CALL_IDS.test(key))
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, each]) => `${JSON.stringify(key)}:${ordered(each, depth + 1)}`).join()}}`
}

/** FNV-1a over UTF-16 units, with the length. Good enough to compare questions, but no protection against an attack. */
function checksum(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return `${text.length}:${(hash >>> 0).toString(16)}`
}

/** Returns the option that refuses, or null. Expiry and deny rules select it. */
export function refusal(question: Question): Option | null {
  return (
    question.options.find((option) => option.kind === 'reject_once') ??
    question.options.find((option) => option.kind === 'reject_always') ??
    null
  )
}

/** The answer of nobody: the refusal option of a permission, else a decline. */
export function defaultAnswer(question: Question): Answer {
  const no = question.kind === 'permission' ? refusal(question) : null
  return no ? { option: no.id } : { declined: true }
}

/** Returns the option that allows once, or null. Allow rules select it, never one that allows for ever. */
export const allowance = (question: Question): Option | null =>
  question.options.find((option) => option.kind === 'allow_once') ?? null

/**
 * Checks an answer against its question.
 * @returns the reason for a misfit as a sentence, or null when the answer fits
 */
export function misfit(question: Question, answer: Answer): string | null {
  if ('declined' in answer) return null
  if ('values' in answer) {
    if (question.schema !== undefined && question.kind === 'choice') return chosenValue(question, answer.values)
    if (question.kind !== 'form') return 'This question takes one of its options, not values.'
    return missingValues(question.schema, answer.values)
  }
  const offered = question.options.map((option) => option.id)
  if (offered.includes(answer.option)) return null
  return `${JSON.stringify(answer.option)} is not one of: ${offered.join(', ') || '(none; send values)'}.`
}

/**
 * Translates an answer to the same question asked again. Agents rename options or reuse an old id for another option:
 * the meaning of the option decides, never its id alone.
 * @returns null when no present option has the same meaning; then a person is asked again
 */
export function carryAnswer(answer: Answer, before: Question, now: Question): Answer | null {
  if (!('option' in answer)) return misfit(now, answer) === null ? answer : null
  const chosen = before.options.find(({ id }) => id === answer.option)
  const alike = now.options.filter(({ kind }) => kind === chosen?.kind)
  const found =
    alike.find(({ id, label }) => id === chosen?.id && label === chosen.label) ??
    alike.find(({ label }) => label === chosen?.label) ??
    (alike.length === 1 && chosen?.kind !== 'other' ? alike[0] : undefined)
  return found ? { option: found.id } : null
}

/** A form with one field of fixed values is asked as a choice; its values are an answer too. */
function chosenValue({ schema, options }: Question, values: Record<string, unknown>): string | null {
  const missing = missingValues(schema, values)
  const fields = Object.keys((schema as { properties?: object } | null)?.properties ?? {})
  const stranger = Object.keys(values).find((name) => !fields.includes(name))
  if (stranger !== undefined) return `${JSON.stringify(stranger)} is not a field: ${fields.join(', ')}.`
  const wrong = Object.values(values).find((value) => !options.some(({ id }) => id === value))
  if (missing !== null || wrong === undefined) return missing
  return `${JSON.stringify(wrong)} is not one of: ${options.map(({ id }) => id).join(', ')}.`
}

function missingValues(schema: unknown, values: Record<string, unknown>): string | null {
  const required = (schema as { required?: unknown } | null)?.required
  if (!Array.isArray(required)) return null
  const missing = required.map(String).filter((name) => !Object.hasOwn(values, name))
  return missing.length === 0 ? null : `These values are missing: ${missing.join(', ')}.`
}
