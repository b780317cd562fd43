import type { KnownSecret } from '../../model/mask.ts'
import type { Cgroup } from '../cgroups/cgroup.ts'
import type { Containment } from '../process/containment.ts'
import type { ProcessRow } from '../process/proc-table.ts'
import type { Exit } from '../process/process.ts'
import type { Sandbox } from '../sandbox/enclose.ts'

/** What an agent says of itself when it is greeted, as said. */
export interface AgentInfo {
  readonly protocolVersion: number
  readonly agentInfo: { readonly name?: string; readonly title?: string; readonly version?: string } | null
  readonly agentCapabilities: Readonly<Record<string, unknown>>
  readonly authMethods: readonly unknown[]
}

/** Where a session works. Files and terminals are served inside `roots` only. */
export interface AgentPlace {
  readonly cwd: string
  readonly roots: readonly string[]
  readonly mcpServers: readonly unknown[]
  readonly additionalDirectories?: readonly string[]
  /** Where the agent is in a view of its own: `roots` are paths of that view, inside its `path`. */
  readonly view?: AgentView
}

/** A folder that the agent sees at `path`, and this process at `root`; commands see it behind the words of `enter`. */
export interface AgentView {
  readonly path: string
  readonly root: string
  readonly enter: readonly string[]
}

export type PermissionAnswer = { outcome: 'selected'; optionId: string } | { outcome: 'cancelled' }
export type ElicitationAnswer = { action: 'accept'; content: unknown } | { action: 'decline' } | { action: 'cancel' }

/** What an agent says goes here, in order and as said. The methods without a promise are called synchronously. */
export interface AgentListener {
  /**
   * `params.update` of a `session/update`, whatever its kind. May also come after a prompt's answer. `frame` numbers what
   * the agent said, growing over the life of its process: after a restart of the server the same frame has the same number.
   */
  update(update: unknown, frame: number): void
  /** An update that repeats the past while a session is reopened: already known, never to be stored again. */
  replayed(update: unknown): void
  /** `signal` fires on cancel, on close, when the agent withdraws the question and when it ends. */
  permission(request: unknown, signal: AbortSignal, frame: number): Promise<PermissionAnswer>
  elicit(request: unknown, signal: AbortSignal, frame: number): Promise<ElicitationAnswer>
  /** The agent read a file through `fs/read_text_file`. `digest`: SHA-256 of it as it is; null where there is none. */
  read(path: string, digest: string | null): void
  /** The agent is about to write a file that is now at `digest`. Resolves to why it may not, as the agent is told. */
  mayWrite(path: string, digest: string | null): Promise<string | null>
  /** A write that the agent asked for through `fs/write_text_file` is on disk. */
  wrote(path: string, bytes: number, digest: string): void
  /** Something a person may need to know about the agent's behaviour, in a sentence. */
  notice(text: string, data?: unknown): void
}

export interface AgentSession {
  /** The agent's own id of the session. */
  readonly id: string
  /** The raw answer that opened it: modes, models, configOptions. */
  readonly opened: unknown
  /** `tag` finds it again after a restart. @throws AgentFailure when the agent answers an error or ends */
  prompt(content: readonly unknown[], tag?: string): Promise<PromptAnswer>
  /** Writes `session/cancel` and answers every open question of this session with cancelled, within this tick. Repeatable. */
  cancel(): void
  /** @throws AgentFailure */
  setMode(id: string): Promise<void>
  /** Resolves to the raw answer. @throws AgentFailure */
  setConfigOption(id: string, value: unknown): Promise<unknown>
  /** Everything this session said up to `frame` is recorded; null: and it has nothing under way. */
  recorded(frame: number | null): void
  /** Forgets the session here, ends its terminals, and tells the agent where it can be told. Never rejects. Repeatable. */
  close(): Promise<void>
}

export interface PromptAnswer {
  readonly stopReason: string
  readonly raw: unknown
}

/** A session that an earlier life of this server had open. */
export interface Rejoined {
  readonly session: AgentSession
  /** Prompts that had reached the agent, oldest first; their answers come as if they had been sent now. */
  readonly prompts: readonly { readonly tag: string; readonly answer: Promise<PromptAnswer> }[]
}

export interface AgentConnection {
  /** Names the keeper that holds the process: by it a later life of the server finds this connection. */
  readonly keeper: string
  /** The last frame that came before this life of the server; 0 for a process of its own. */
  readonly heardBefore: number
  readonly info: AgentInfo
  readonly pid: number
  /** Its temporary folder, as it sees it itself. Goes with it. */
  readonly temporary: string
  /** Resolves when the agent's whole tree has ended. */
  readonly exited: Promise<Exit>
  /** @throws unavailable when the agent wants a login or does not open a session; AgentFailure when it ends */
  open(place: AgentPlace, listener: AgentListener, signal: AbortSignal): Promise<AgentSession>
  /**
   * Takes a session of the agent's up again: `session/resume` where offered, else `session/load`. What it replays goes
   * to `listener.replayed`. @throws gone when the agent does not know it or cannot; the transcript is then the way on
   */
  reopen(acpSession: string, place: AgentPlace, listener: AgentListener, signal: AbortSignal): Promise<AgentSession>
  /**
   * Takes up what an earlier life had open in this very process: what was said since comes to `listener` in its order, also
   * what it had said before the server died, and questions without an answer are put again. Null when it is not open there.
   */
  rejoin(acpSession: string, place: AgentPlace, listener: AgentListener): Rejoined | null
  /** How long the agent goes on without a server, and until when at most (ms since 1970). */
  limits(limits: { graceMs: number; deadlineAt: number | null }): void
  /** Lets the agent go on without this server, for as long as its limits say. */
  leave(): void
  /** It has ended and all it said is recorded: nothing of it is kept. Never rejects. */
  forget(): Promise<void>
  /** End of input, SIGTERM, SIGKILL of the tree: at most 1.5 s. Repeatable. */
  stop(): Promise<void>
  /** SIGKILL of the tree at once. Repeatable. */
  kill(): Promise<void>
  /** False from the moment it ended or was given up, which is before its tree is gone: give it no more work. */
  readonly usable: boolean
  /** The last 4 KiB of stderr. May hold anything an agent prints. */
  stderrTail(): string
  descendants(filter?: { bornAfterMs?: number }): Promise<ProcessRow[]>
  /** With several runs in one process this would also hit a neighbour's commands: only for processes with one run. */
  killDescendantsBornAfter(atMs: number): Promise<number[]>
}

export interface AgentLaunch {
  /** The recipe's id and name: for messages, logs and the ledger. */
  readonly id: string
  readonly name: string
  /** Absolute, or looked up on the PATH of `env`. */
  readonly command: string
  readonly args: readonly string[]
  /** Complete: see `allowedEnv`. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Stands before the command and its containment: the agent then starts inside the view of a place. */
  readonly enter?: readonly string[]
  readonly containment: Containment
  /** Takes the place of the containment: the agent and its terminals are kept in it. Null for none. */
  readonly sandbox?: Sandbox | null
  /** What keeps its limits of memory and processes, by a name of its own: its terminals are in there too. Null for none. */
  readonly cgroup?: ((name: string) => Cgroup) | null
  /** Folder of the ledger of live trees. */
  readonly ledger: string
  /** Folder of the keepers. */
  readonly keepers: string
  /** Where Node keeps what it compiled for keepers; null for nowhere. */
  readonly compiled: string | null
  /** How long the agent goes on without a server. ms; 0 ends it with its server. */
  readonly graceMs: number
  /** Values that must not be kept of what it writes to stderr (B3). */
  readonly hide?: readonly KnownSecret[]
  /** stderr goes to `<logFolder>/stderr.log`; null keeps only the tail. The folder exists. */
  readonly logFolder: string | null
  readonly clientName: string
  readonly clientVersion: string
  /** What a person does when the agent wants a login. */
  readonly login?: string
  /** What a person does when the program is not there. */
  readonly install?: string
  /** Sees each raw frame: `in` is what the agent said. */
  readonly onFrame?: (direction: 'in' | 'out', line: string) => void
  readonly initializeTimeoutMs: number
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
}
