import { z } from 'zod'
import { AgentChange } from '../agent.ts'
import { AgentId } from '../ids.ts'

/** Whole days; null for no limit. */
const days = (standard: number | null) => z.coerce.number().int().min(0).max(36_500).nullable().default(standard)

/**
 * Every setting: its type, default and unit. Values come from the command line, then the environment (`CARREL_` and
 * the name in capitals, `CARREL_PARK_AFTER_MS`), then `config.json` in the data folder, then the defaults.
 */
export const Config = z.object({
  /** Folder for the database, logs and blank Spaces. One process at a time (S5). */
  dataFolder: z.string().min(1),
  /** Postgres address; null for the embedded SQLite. */
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .nullable()
    .default(null),
  /** Name of this machine for people; null for the name of the host. */
  machineName: z.string().min(1).max(100).nullable().default(null),
  host: z.string().default('127.0.0.1'),
  /** 0 for any free port. */
  port: z.coerce.number().int().min(0).max(65535).default(4747),
  /** Allowed Host header names besides loopback (B2). */
  allowedHosts: z.array(z.string()).default([]),
  /** Wildcard domain of this server: port previews get origins below it. null: previews only below localhost. */
  previewDomain: z
    .string()
    .toLowerCase()
    .regex(
      /^(?!localhost(:|$))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[1-9][0-9]{0,4})?$/,
      'must look like preview.example.com, or preview.example.com:8443',
    )
    .nullable()
    .default(null),
  /** Allowed origins besides the page's own (B2). */
  allowedOrigins: z.array(z.string()).default([]),
  /** Default agent of new sessions; null for the first agent found on this machine. */
  defaultAgent: AgentId.nullable().default(null),
  /** Custom agents, and overrides of known agents by id. */
  agents: z.array(AgentChange).default([]),
  /** Agent processes that may start concurrently (P4); null for the number of cores. */
  spawnsAtOnce: z.coerce.number().int().min(1).max(64).nullable().default(null),
  /** Concurrent runs on this node. 0: the node serves callers and runs nothing. */
  runsAtOnce: z.coerce.number().int().min(0).max(10_000).default(1_000),
  /** A run that waits longer than this for a person is parked and releases its process. ms. */
  parkAfterMs: z.coerce.number().int().min(0).default(600_000),
  /** An unanswered question takes its default (refusal) after this time. ms; null for never. */
  questionTtlMs: z.coerce.number().int().min(1_000).nullable().default(604_800_000),
  /** Default limit of work time: a run over it is parked with a question. Environment settings override it. ms; null for no limit. */
  runBudgetMs: z.coerce.number().int().min(1_000).nullable().default(null),
  /** Time that a lease lives at least without renewal. After a crash, other nodes wait up to a third longer. ms. */
  leaseTtlMs: z.coerce.number().int().min(300).max(600_000).default(15_000),
  /** Time an idle agent process is kept for the next prompt. ms. */
  idleAgentMs: z.coerce.number().int().min(0).default(300_000),
  /** Timeout for an agent's `initialize` and for opening a session. ms. */
  agentStartMs: z.coerce.number().int().min(1_000).default(60_000),
  /** Time agents keep working after the server stops, is upgraded or dies; the next server reattaches to them. ms; 0 ends them with it. */
  outliveMs: z.coerce.number().int().min(0).max(86_400_000).default(600_000),
  /** Concurrent browsers of runs on this node; further runs wait in FIFO order. */
  browsersAtOnce: z.coerce.number().int().min(1).max(256).default(4),
  /** Maximum wait for a browser; after it the run fails with that reason. ms. */
  browserWaitMs: z.coerce.number().int().min(1_000).max(86_400_000).default(600_000),
  /** Name or path of a Chromium; null to search for one. */
  browserCommand: z.string().min(1).nullable().default(null),
  /** Address of a browser service that replaces local browsers: each CDP connection gets its own browser. */
  browserEndpoint: z
    .string()
    .regex(/^wss?:\/\//, 'must begin with ws:// or wss://: all runs would share one browser over http://')
    .nullable()
    .default(null),
  /**
   * Command and arguments of the MCP server through which agents use their browser; `{browser}` stands for its address.
   * null for the bundled server, an empty list for no server.
   */
  browserMcp: z.array(z.string()).nullable().default(null),
  /** Longest delay before a batch of agent updates is written. ms. */
  flushMs: z.coerce.number().int().min(0).max(1_000).default(25),
  /** Largest request body. Bytes. */
  maxBodyBytes: z.coerce.number().int().min(1_024).default(33_554_432),
  /** Longest wait of a prompt for its folder's history; then the run starts without it, with a notice. ms. */
  historyWaitMs: z.coerce.number().int().min(0).max(600_000).default(1_500),
  /** Size limit of one workspace's file history; old snapshots are thinned out to stay below it. Bytes; null for no limit. */
  filesBudgetBytes: z.coerce.number().int().min(1_048_576).nullable().default(10_737_418_240),
  /** Age up to which all snapshots are kept. ms. */
  keepAllMs: z.coerce.number().int().min(0).default(86_400_000),
  /** Period after that age in which one snapshot an hour is kept; then one a day. ms. */
  keepHourlyMs: z.coerce.number().int().min(0).default(604_800_000),
  /** File with the encryption keys of secrets; null for Carrel's own file in the data folder. CARREL_SECRETS_KEY overrides it. */
  secretsKeyFile: z.string().min(1).nullable().default(null),
  /** Retention of the folders of runs under `logs`. Days; null for ever. */
  keepRunLogsDays: days(30),
  /** Retention of the agents' stderr. Days; null for ever. */
  keepAgentLogsDays: days(null),
  /** Retention of items of archived sessions. The log stays, and Carrel rebuilds them from it. Days; null for ever. */
  keepArchivedItemsDays: days(null),
  /** Whether an upgrade copies the data first. `make`: yes. `made`: no, since a copy exists elsewhere. */
  upgradeCopy: z.enum(['make', 'made']).default('make'),
  /** Lines on stderr of the server. `info`: what happens to sessions; `debug`: each event and request. */
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
})
export type Config = z.infer<typeof Config>

/** Whether a clean stop leaves agents running: the sessions of a Space go to its own machine only, so they wait for it. */
export const leavesAgents = ({ outliveMs }: Config): boolean => outliveMs > 0

/** Environment variables of settings: variable name -> key in `Config`. Lists are comma-separated. */
export const CONFIG_ENV: Readonly<Record<string, keyof Config>> = Object.fromEntries(
  (Object.keys(Config.shape) as (keyof Config)[])
    .filter((key) => key !== 'agents')
    .map((key) => [`CARREL_${key.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`, key]),
)
