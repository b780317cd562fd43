import { z } from 'zod'
import { AgentId } from './ids.ts'

const fields = {
  id: AgentId,
  name: z.string().min(1).max(80),
  /** Program to start: a name on PATH or an absolute path. Never a shell command line. */
  command: z.string().min(1),
  args: z.array(z.string()),
  /** Fixed environment variables of the agent process. */
  env: z.record(z.string(), z.string()),
  /** Environment variables passed from the server to the agent, besides the basic allow-list. */
  passEnv: z.array(z.string()),
  /** `own`: each process gets its own home folder under Carrel's data. For agents that race on a shared home. */
  home: z.enum(['shared', 'own']),
  /** Login files, relative to the home folder. With `home: own`, every home gets the newest copy of each. */
  loginFiles: z.array(z.string().regex(/^(?!.*\.\.)[^/]/, 'is a path below the home folder')).max(16),
  /**
   * Paths writable inside a sandbox: a path below the home folder, or a variable that names a folder.
   * A path that ends in `/` is a folder; Carrel creates it.
   */
  ownPaths: z
    .array(
      z
        .string()
        .regex(/^(\$[A-Z_][A-Z0-9_]*\/|(?!.*\.\.)[^/$].*)$/, 'is a path below the home folder, or $NAME/ for a folder'),
    )
    .max(16),
  /** Hosts reachable from a strict sandbox: `example.com` or `*.example.com`, with an optional port. */
  hosts: z.array(z.string().min(1).max(260)).max(64),
  /**
   * Concurrent runs allowed in one process. 1 unless the agent itself ends the commands of a cancelled run:
   * only then can a cancel keep its promise (P2) while another run shares the process.
   */
  runsPerProcess: z.number().int().min(1).max(1000),
  /** `prompt`: a second `session/prompt` reaches the running turn. `none`: the second prompt must be queued. */
  steer: z.enum(['prompt', 'none']),
  /** Commands that install the agent and log in. Carrel shows them and never runs them. */
  install: z.string(),
  login: z.string(),
  docs: z.string(),
}

/**
 * Recipe to start an agent that speaks ACP over stdio. Known agents ship with Carrel. The setting `agents` adds
 * others and overrides fields of known ones.
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

/** Agent fields from the configuration. They have no defaults: a default would override the shipped recipe. */
export const AgentChange = z.object(fields).partial().extend({ id: AgentId })
export type AgentChange = z.infer<typeof AgentChange>

/** Recipe of an agent with its state on this machine. */
export const AgentStatus = z.object({
  id: AgentId,
  name: z.string(),
  installed: z.boolean(),
  /** Absolute path of the program; null when it is not installed. */
  program: z.string().nullable(),
  version: z.string().nullable(),
  install: z.string(),
  login: z.string(),
  docs: z.string(),
  /** `scripted`: ships with Carrel, needs no model. `known`: in the registry. `custom`: from the configuration. */
  origin: z.enum(['scripted', 'known', 'custom']),
  steer: z.enum(['prompt', 'none']),
})
export type AgentStatus = z.infer<typeof AgentStatus>
