import type { KnownSecret } from '../../model/secrets/mask.ts'
import type { Cgroup } from '../cgroups/cgroup.ts'
import type { ProcessRow } from '../proc-table.ts'
import type { Containment } from '../process/containment.ts'
import type { Exit } from '../process/process.ts'
import type { RootIdentity } from '../root-folder.ts'
import type { SandboxSpec } from '../sandbox/enclose.ts'

/** Answer of an agent to `initialize`, unchanged. */
export interface AgentInfo {
  readonly protocolVersion: number
  readonly agentInfo: { readonly name?: string; readonly title?: string; readonly version?: string } | null
  readonly agentCapabilities: Readonly<Record<string, unknown>>
  readonly authMethods: readonly unknown[]
}

/** Working folder of a session. Files are written and terminals started inside `roots`. */
export interface AgentPlace {
  readonly cwd: string
  readonly roots: readonly string[]
  readonly mcpServers: readonly unknown[]
  readonly additionalDirectories?: readonly string[]
  /** Returns the identity that the folder `cwd` must have now; null accepts any folder. */
  readonly identity?: () => RootIdentity | null
  /** Set when the agent runs in a mounted view. `roots` are then paths of that view, inside its `path`. */
  readonly view?: PlaceView
}

/** Folder that the agent sees at `path` and this process at `root`. Commands enter it by the prefix `enter`. */
export interface PlaceView {
  readonly path: string
  readonly root: string
  readonly enter: readonly string[]
}

type PermissionAnswer = { outcome: 'selected'; optionId: string } | { outcome: 'cancelled' }
type ElicitationAnswer = { action: 'accept'; content: unknown } | { action: 'decline' } | { action: 'cancel' }

/** Receives all messages of an agent, in order and unchanged. Methods without a promise are called synchronously. */
export interface AgentListener {
  /**
   * Receives `params.update` of a `session/update` of any kind, also after a prompt was answered. `frame` grows over
   * the life of the agent's process and stays the same after a restart of the server.
   */
  update(update: unknown, frame: number): void
  /**
   * Reports the frame by which a prompt reached the agent, in order with the messages: the agent sent those before it
   * without this prompt. `tag` is the tag of the prompt.
   */
  prompted(tag: string, frame: number): void
  /** Receives an update that repeats the past while a session is reopened: never store it again. */
  replayed(update: unknown): void
  /** `signal` fires on cancel, on close, when the agent withdraws the question and when the agent ends. */
  permission(request: unknown, signal: AbortSignal, frame: number): Promise<PermissionAnswer>
  elicit(request: unknown, signal: AbortSignal, frame: number): Promise<ElicitationAnswer>
  /** Reports a read through `fs/read_text_file`. `digest`: SHA-256 of the whole file; null for a missing one. */
  read(path: string, digest: string | null): void
  /** Asks about a write over content with `digest`. Resolves to null, or to the reason against it for the agent. */
  mayWrite(path: string, digest: string | null): Promise<string | null>
  /** Reports the end of an allowed write through `fs/write_text_file`. `digest`: SHA-256 of the file; null: it failed. */
  wrote(path: string, digest: string | null): void
  /** Reports unusual behaviour of the agent to people, in one sentence. */
  notice(text: string, data?: unknown): void
}

export interface AgentSession {
  /** Id that the agent gave to the session. */
  readonly id: string
  /** Raw answer that opened the session: modes, models, configOptions. */
  readonly opened: unknown
  /** Sends a prompt. `tag` identifies it after a restart. @throws AgentFailure on an error answer or the agent's end */
  prompt(content: readonly unknown[], tag?: string): Promise<PromptAnswer>
  /** Sends `session/cancel` and answers its open questions as cancelled, within this tick. Safe to repeat. */
  cancel(): void
  /** @throws AgentFailure */
  setMode(id: string): Promise<void>
  /** Resolves to the raw answer. @throws AgentFailure */
  setConfigOption(id: string, value: unknown): Promise<unknown>
  /** Returns the commands of its terminals that still run. */
  terminals(): string[]
  /** Notes that all messages up to `frame` are recorded. Null: its prompts are done, and their answers recorded. */
  recorded(frame: number | null): void
  /** Forgets the session, ends its terminals, and closes it at the agent if possible. Never rejects. Safe to repeat. */
  close(): Promise<void>
}

export interface PromptAnswer {
  readonly stopReason: string
  readonly raw: unknown
}

/** Session that an earlier server process had opened. */
export interface Rejoined {
  readonly session: AgentSession
  /** Prompts that had reached the agent, oldest first. Their answers arrive as if they had been sent now. */
  readonly prompts: readonly { readonly tag: string; readonly answer: Promise<PromptAnswer> }[]
}

export interface AgentConnection {
  /** Name of the keeper that holds the process; a later server finds this connection by it. */
  readonly keeper: string
  /** Last frame from before this server process; 0 for an agent that it started itself. */
  readonly heardBefore: number
  readonly info: AgentInfo
  readonly pid: number
  /** Temporary folder, as the agent sees it. Removed with the agent. */
  readonly temporary: string
  /** Resolves when the agent's whole process tree has ended. */
  readonly exited: Promise<Exit>
  /** @throws unavailable when the agent needs a login or does not open a session; AgentFailure when it ends */
  open(place: AgentPlace, listener: AgentListener, signal: AbortSignal): Promise<AgentSession>
  /**
   * Reopens a session by `session/resume` where the agent offers it, else by `session/load`. Replayed updates go to
   * `listener.replayed`.
   * @throws gone when the agent cannot, or does not know the session; the caller then continues from the transcript
   */
  reopen(acpSession: string, place: AgentPlace, listener: AgentListener, signal: AbortSignal): Promise<AgentSession>
  /**
   * Takes over a session that an earlier server process had open in this agent process. `listener` receives all
   * unrecorded updates in order, and unanswered questions again. Returns null when the session is not open there.
   */
  rejoin(acpSession: string, place: AgentPlace, listener: AgentListener): Rejoined | null
  /** Sets how long the agent continues without a server, and its latest end (ms since 1970). */
  limits(limits: { graceMs: number; deadlineAt: number | null }): void
  /** Disconnects. The agent continues without this server for as long as its limits allow. */
  leave(): void
  /** Deletes everything kept of an agent that has ended and is fully recorded. Never rejects. */
  forget(): Promise<void>
  /** Closes stdin, then sends SIGTERM, then SIGKILL to the tree: at most 1.5 s. Safe to repeat. */
  stop(): Promise<void>
  /** Sends SIGKILL to the tree at once. Safe to repeat. */
  kill(): Promise<void>
  /** False once the agent has ended or was given up, before its tree is gone: give it no more work. */
  readonly usable: boolean
  /** Last 4 KiB of stderr. May contain anything that an agent prints. */
  stderrTail(): string
  descendants(filter?: { bornAfterMs?: number }): Promise<ProcessRow[]>
  /** Kills commands of every run in the process: use it only for processes with one run. */
  killDescendantsBornAfter(atMs: number): Promise<number[]>
}

export interface AgentLaunch {
  /** Id and name of the recipe: for messages, logs and the ledger. */
  readonly id: string
  readonly name: string
  /** Absolute path, or a name that is looked up on the PATH of `env`. */
  readonly command: string
  readonly args: readonly string[]
  /** Complete environment: see `allowedEnv`. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Prefix of the command and its containment that starts the agent inside the view of a place. */
  readonly enter?: readonly string[]
  readonly containment: Containment
  /** Replaces the containment: the agent and its terminals run in it. Null for none. */
  readonly sandbox?: SandboxSpec | null
  /** The agent's own files and folders, which it may write beside its place; a folder ends with /. */
  readonly ownPaths?: readonly string[]
  /** Makes the cgroup, by a unique name, that limits the agent and its terminals. Null for none. */
  readonly cgroup?: ((name: string) => Cgroup) | null
  /** Folder of the ledger of live trees. */
  readonly ledger: string
  /** Folder of the keepers. */
  readonly keepers: string
  /** Folder of Node's compile cache for keepers; null for none. */
  readonly compiled: string | null
  /** Time that the agent continues without a server. ms; 0 ends it with its server. */
  readonly graceMs: number
  /** Secret values that must be masked in its stderr (B3). */
  readonly hide?: readonly KnownSecret[]
  /** Receives stderr as `<logFolder>/stderr.log`; null keeps only the tail. The folder exists. */
  readonly logFolder: string | null
  readonly clientName: string
  readonly clientVersion: string
  /** Instruction for a person when the agent needs a login. */
  readonly login?: string
  /** Instruction for a person when the program is missing. */
  readonly install?: string
  /** Receives each raw frame; `in` comes from the agent. */
  readonly onFrame?: (direction: 'in' | 'out', line: string) => void
  readonly initializeTimeoutMs: number
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
}
