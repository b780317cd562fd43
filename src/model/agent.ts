import { z } from 'zod'
import { AgentId } from './ids.ts'

const fields = {
  id: AgentId,
  /** The name people read. */
  name: z.string().min(1).max(80),
  /** The program: looked up on PATH, or absolute. Never a shell line. */
  command: z.string().min(1),
  args: z.array(z.string()),
  /** Fixed values for the child's environment. */
  env: z.record(z.string(), z.string()),
  /** Names that may pass from the server's environment to the child, besides the basic allow-list. */
  passEnv: z.array(z.string()),
  /** `own`: each process gets a home folder of its own under Carrel's data (agents that race on a shared one). */
  home: z.enum(['shared', 'own']),
  /** Files with its login, from the home folder. Where `home` is `own` the newest copy of each is in every home. */
  loginFiles: z.array(z.string().regex(/^(?!.*\.\.)[^/]/, 'is a path below the home folder')).max(16),
  /** In a sandbox it may write these: a path below the home folder, or a variable that names a folder. One with / at its end is a folder, and made. */
  ownPaths: z
    .array(
      z
        .string()
        .regex(/^(\$[A-Z_][A-Z0-9_]*\/|(?!.*\.\.)[^/$].*)$/, 'is a path below the home folder, or $NAME/ for a folder'),
    )
    .max(16),
  /** In a strict sandbox it may reach these: `example.com`, `*.example.com`, a port may follow. */
  hosts: z.array(z.string().min(1).max(260)).max(64),
  /**
   * How many runs may be under way at once in one process. 1 unless the agent is known to end a cancelled
   * run's commands by itself: only then can a cancel keep its promise (P2) beside a neighbour's run.
   */
  runsPerProcess: z.number().int().min(1).max(1000),
  /** `prompt`: a second `session/prompt` while one runs reaches the running turn; `none`: it must be queued. */
  steer: z.enum(['prompt', 'none']),
  /** What a person types to install it, and to log in. Shown, never run. */
  install: z.string(),
  login: z.string(),
  docs: z.string(),
}

/**
 * How to start an agent that speaks ACP over stdio. Known ones ship with Carrel; a person adds others, or
 * overrides fields of known ones, in the configuration under `agents`.
 */
export const AgentRecipe = z.object({
  ...fields,
  args: fields.args.default([]),
  env: fields.env.default({}),
  passEnv: fields.passEnv.default([]),
  home: fields.home.default('shared'),
  loginFiles: fields.loginFiles.default([]),
  ownPaths: fields.ownPaths.default([]),
  hosts: fields.hosts.default([]),
  runsPerProcess: fields.runsPerProcess.default(1),
  steer: fields.steer.default('none'),
  install: fields.install.default(''),
  login: fields.login.default(''),
  docs: fields.docs.default(''),
})
export type AgentRecipe = z.infer<typeof AgentRecipe>

/** What the configuration says of an agent. Without defaults, which would undo what Carrel knows of it. */
export const AgentChange = z.object(fields).partial().extend({ id: AgentId })
export type AgentChange = z.infer<typeof AgentChange>

/** A recipe together with what this machine says about it. */
export const AgentStatus = z.object({
  id: AgentId,
  name: z.string(),
  installed: z.boolean(),
  /** Absolute path of the program that would be started; null when it is not there. */
  program: z.string().nullable(),
  version: z.string().nullable(),
  install: z.string(),
  login: z.string(),
  docs: z.string(),
  /** `scripted` ships with Carrel and needs no model; `known` is in the registry; `custom` comes from the configuration. */
  origin: z.enum(['scripted', 'known', 'custom']),
  steer: z.enum(['prompt', 'none']),
})
export type AgentStatus = z.infer<typeof AgentStatus>
