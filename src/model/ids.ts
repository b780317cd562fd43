import { z } from 'zod'

/**
 * Identifiers in TypeID form: a prefix that names the noun, then 26 characters that sort by time.
 * The engine's `Context.id` creates them; these schemas check their form.
 */
const idOf = <P extends string>(prefix: P, noun: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-z]{26}$`), `must look like ${prefix}_ and 26 letters or digits`)
    .describe(`Id of ${noun}: \`${prefix}_\` and 26 letters or digits.`)
    .brand<P>()

export const SpaceId = idOf('spc', 'a Space')
export type SpaceId = z.infer<typeof SpaceId>
export const ProjectId = idOf('prj', 'a project')
export type ProjectId = z.infer<typeof ProjectId>
export const SessionId = idOf('ses', 'a session')
export type SessionId = z.infer<typeof SessionId>
export const PromptId = idOf('pmt', 'a prompt')
export type PromptId = z.infer<typeof PromptId>
export const RunId = idOf('run', 'a run')
export type RunId = z.infer<typeof RunId>
export const InteractionId = idOf('int', 'a question')
export type InteractionId = z.infer<typeof InteractionId>
export const RuleId = idOf('rul', 'a permission rule')
export type RuleId = z.infer<typeof RuleId>

export const ActId = idOf('act', 'an undo, restore or apply')
export type ActId = z.infer<typeof ActId>

/** Name of a workspace, chosen by a person. Case is folded, so that two spellings are one tenant. */
export const WorkspaceId = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(z.string().regex(/^[a-z0-9_-]{1,128}$/, 'takes 1 to 128 letters, digits, _ and -'))
  .pipe(z.string().brand<'workspace'>())
  .describe('Id of a workspace, such as `default`. Case does not matter.')
export type WorkspaceId = z.infer<typeof WorkspaceId>

/** Name of an agent in the registry, such as `codex` or `my-agent`. */
export const AgentId = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'takes 1 to 64 small letters, digits, _ and -')
export type AgentId = z.infer<typeof AgentId>

export const ID_PREFIX = {
  space: 'spc',
  project: 'prj',
  session: 'ses',
  prompt: 'pmt',
  run: 'run',
  interaction: 'int',
  rule: 'rul',
  act: 'act',
} as const
export type IdNoun = keyof typeof ID_PREFIX

/** Position in a log: 1 is the first event, 0 the position before it. */
export const Seq = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
export type Seq = number

/** Milliseconds since 1970, by the clock of the writing node. */
export const Millis = z.number().int().min(0)
export type Millis = number
