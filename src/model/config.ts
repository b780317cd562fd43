import { z } from 'zod'
import { AgentChange } from './agent.ts'
import { AgentId } from './ids.ts'

/** A whole number of days, or null for ever. */
const days = (standard: number | null) => z.coerce.number().int().min(0).max(36_500).nullable().default(standard)

/**
 * Every setting: its type, default and unit. Values come from the command line, then the environment (`CARREL_` and
 * the name in capitals, `CARREL_PARK_AFTER_MS`), then `config.json` in the data folder, then the defaults.
 */
export const Config = z.object({
  /** Where Carrel keeps its database, logs and blank Spaces. One process at a time (S5). */
  dataFolder: z.string().min(1),
  /** A Postgres address instead of the embedded SQLite. */
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .nullable()
    .default(null),
  host: z.string().default('127.0.0.1'),
  /** 0 takes a free one. */
  port: z.coerce.number().int().min(0).max(65535).default(4747),
  /** Names beyond loopback that the Host header may have (B2). */
  allowedHosts: z.array(z.string()).default([]),
  /** A domain below which every name leads to this server: previews of ports get origins below it. null: only below localhost. */
  previewDomain: z
    .string()
    .toLowerCase()
    .regex(
      /^(?!localhost(:|$))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[1-9][0-9]{0,4})?$/,
      'must look like preview.example.com, or preview.example.com:8443',
    )
    .nullable()
    .default(null),
  /** Origins beyond the page's own that may call (B2). */
  allowedOrigins: z.array(z.string()).default([]),
  /** The agent of a new session that names none; null for the first one found on this machine. */
  defaultAgent: AgentId.nullable().default(null),
  /** Agents of your own, and changes to known ones by their id. */
  agents: z.array(AgentChange).default([]),
  /** Agent processes that may start at the same moment (P4); null for the number of cores. */
  spawnsAtOnce: z.coerce.number().int().min(1).max(64).nullable().default(null),
  /** Runs that this node may hold at once. 0 makes a node that serves callers and runs nothing. */
  runsAtOnce: z.coerce.number().int().min(0).max(10_000).default(1_000),
  /** A run that waits for a person longer than this lets its process go. ms. */
  parkAfterMs: z.coerce.number().int().min(0).default(600_000),
  /** A question nobody answers takes its default (refusal) after this. ms; null for never. */
  questionTtlMs: z.coerce.number().int().min(1_000).nullable().default(604_800_000),
  /** A run at work for longer than this is parked with a question, where no environment say another limit. ms; null for no limit. */
  runBudgetMs: z.coerce.number().int().min(1_000).nullable().default(null),
  /** How long a lease lives without being renewed: after a crash, how long others wait. ms. */
  leaseTtlMs: z.coerce.number().int().min(300).max(600_000).default(15_000),
  /** How long an idle agent process is kept for the next prompt. ms. */
  idleAgentMs: z.coerce.number().int().min(0).default(300_000),
  /** How long an agent has to answer `initialize` and to open a session. ms. */
  agentStartMs: z.coerce.number().int().min(1_000).default(60_000),
  /** How long agents go on working when the server stops, is upgraded or dies; the next one takes up with them. ms; 0 ends them with it. */
  outliveMs: z.coerce.number().int().min(0).max(86_400_000).default(600_000),
  /** Browsers that runs of this node may have at once; the others wait, first come first served. */
  browsersAtOnce: z.coerce.number().int().min(1).max(256).default(4),
  /** The longest wait for a browser; then the run fails and says so. ms. */
  browserWaitMs: z.coerce.number().int().min(1_000).max(86_400_000).default(600_000),
  /** The name or path of a Chromium; null for the one that is found. */
  browserCommand: z.string().min(1).nullable().default(null),
  /** A service that gives each connection over CDP a browser of its own, in the place of browsers of this machine. */
  browserEndpoint: z
    .string()
    .regex(
      /^wss?:\/\//,
      'must begin with ws:// or wss://: one browser that is reached over http:// would be shared by all',
    )
    .nullable()
    .default(null),
  /** The words of an MCP server that agents get their browser through, with {browser} for its address; null for the one that comes along, none for none. */
  browserMcp: z.array(z.string()).nullable().default(null),
  /** Agent updates are written together at the latest after this. ms. */
  flushMs: z.coerce.number().int().min(0).max(1_000).default(25),
  /** Largest request body. Bytes. */
  maxBodyBytes: z.coerce.number().int().min(1_024).default(33_554_432),
  /** A prompt waits at most this long for the history of its folder; then the run begins without it, and says so. ms. */
  historyWaitMs: z.coerce.number().int().min(0).max(600_000).default(1_500),
  /** Bytes that the history of files of one workspace may keep; old snapshots thin out to stay below. null for no limit. */
  filesBudgetBytes: z.coerce.number().int().min(1_048_576).nullable().default(10_737_418_240),
  /** Snapshots younger than this all stay. ms. */
  keepAllMs: z.coerce.number().int().min(0).default(86_400_000),
  /** After that one an hour stays, for this long; then one a day. ms. */
  keepHourlyMs: z.coerce.number().int().min(0).default(604_800_000),
  /** A file with the keys that secrets are sealed under; null for a file of Carrel's own in the data folder. CARREL_SECRETS_KEY goes before it. */
  secretsKeyFile: z.string().min(1).nullable().default(null),
  /** Folders of runs under `logs` are kept so long. Days; null for ever. */
  keepRunLogsDays: days(30),
  /** What agents wrote on stderr is kept so long. Days; null for ever. */
  keepAgentLogsDays: days(null),
  /** Items of archived sessions are kept so long; the log stays, and they are made again from it. Days; null for ever. */
  keepArchivedItemsDays: days(null),
  /** Whether a start that upgrades the data makes a copy of it first. `made`: a copy exists elsewhere, and none is made. */
  upgradeCopy: z.enum(['make', 'made']).default('make'),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
})
export type Config = z.infer<typeof Config>

/** Whether a clean stop leaves agents at work: not where it gives the lease to another node. */
export const leavesAgents = ({ outliveMs, databaseUrl }: Config): boolean => outliveMs > 0 && databaseUrl === null

/** Settings that may come from the environment: name there -> key here. Lists are separated by commas. */
export const CONFIG_ENV: Readonly<Record<string, keyof Config>> = Object.fromEntries(
  (Object.keys(Config.shape) as (keyof Config)[])
    .filter((key) => key !== 'agents')
    .map((key) => [`CARREL_${key.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`, key]),
)
