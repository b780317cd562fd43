import type { AgentConnection, AgentListener, AgentPlace, AgentSession, HeldFrame } from '../../host/agent/agent.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { AgentId, RunId, SessionId, WorkspaceId } from '../../model/ids.ts'

/** One message of an agent after a run. */
interface Afterword {
  /** Hands it over. A promise means that the agent waits for an answer, and is rejected where there is none. */
  readonly deliver: (to: AgentListener) => Promise<void> | void
  /** Estimated size in memory. */
  readonly bytes: number
  delivered: boolean
}

/** Estimated size of an update in memory. */
export const sizeOf = (update: unknown): number => 128 + JSON.stringify(update ?? null).length

/** Errors of a holder that has to give up the session: the next holder asks again. */
const PASSING = new Set(['lease_lost', 'unavailable', 'busy'])

/** More waiting bytes end the agent: nothing can be recorded, and memory is finite. Its keeper has all of it. */
const MAX_WAITING_BYTES = 67_108_864

/** Where the messages come from. */
export interface AfterwordSource {
  readonly workspace: WorkspaceId
  readonly session: SessionId
  readonly agent: AgentId
  readonly place: AgentPlace
  readonly connection: Pick<AgentConnection, 'keeper' | 'kill'>
}

/**
 * The afterwords of one conversation, in order, until they are in the log. The holder of the session attaches a
 * listener; a holder that fails leaves everything unrecorded to the next one.
 */
export class Afterwords {
  readonly from: AfterwordSource
  /** The conversation; null until the agent has opened it. */
  session: AgentSession | null = null
  /** The run that the agent last worked at; null for a process of an earlier server, whose log names it. */
  run: RunId | null = null
  /** Parts of the agent's work that go on after the run; empty for none. Its process is not ended when it is idle. */
  background: readonly string[] = []
  /** Processes that commands of its runs left, as pid and start, with the titles of these commands. */
  processes: Map<string, string> = new Map()
  readonly #onKept: (queue: Afterwords) => void
  #waiting: Afterword[] = []
  #bytes = 0
  #listener: AgentListener | null = null

  constructor(from: AfterwordSource, onKept: (queue: Afterwords) => void) {
    this.from = from
    this.#onKept = onKept
  }

  /** Number of messages that are not in the log, or whose answer the agent waits for. */
  get length(): number {
    return this.#waiting.length
  }

  /** Number of messages that a holder has, and that are not known to be in the log. */
  get delivered(): number {
    return this.#waiting.filter(({ delivered }) => delivered).length
  }

  /** Whether a holder listens at the moment. */
  get listener(): AgentListener | null {
    return this.#listener
  }

  keep(deliver: Afterword['deliver'], bytes = 128): void {
    const afterword: Afterword = { deliver, bytes, delivered: false }
    this.#waiting.push(afterword)
    this.#bytes += bytes
    if (this.#bytes > MAX_WAITING_BYTES) void this.from.connection.kill()
    if (this.#listener) this.#deliver(afterword, this.#listener)
    this.#onKept(this)
  }

  /** Keeps a message from the spool of an ended process. Nobody can answer its questions any more. */
  keepLeft(frame: HeldFrame): void {
    if (frame.kind === 'update') return this.keep((to) => to.update(frame.update, frame.no), sizeOf(frame.update))
    const { toolCall, message } = (frame.params ?? {}) as { toolCall?: object; message?: unknown }
    if (frame.method === 'session/request_permission' && toolCall)
      this.keep((to) => to.update({ ...toolCall, sessionUpdate: 'tool_call_update' }, frame.no))
    else if (frame.method === 'elicitation/create')
      this.keep((to) => to.notice(`The agent asked, and its process ended before an answer: ${String(message)}`))
  }

  /** Asks the holder of the session, and the next one where a holder has to give up. */
  ask<Answer>(question: (to: AgentListener) => Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.keep((to) =>
        question(to).then(resolve, (thrown) => {
          if (this.#listener !== to || PASSING.has(asCarrelError(thrown).code)) throw thrown
          reject(thrown)
        }),
      )
    })
  }

  /** Delivers everything that waits, then each new message at once. */
  attach(listener: AgentListener): void {
    this.#listener = listener
    for (const afterword of [...this.#waiting]) this.#deliver(afterword, listener)
  }

  detach(): void {
    this.#listener = null
  }

  /** Gives everything up. */
  drop(): void {
    this.#drop(new Set(this.#waiting))
  }

  /** Returns what drops the messages delivered so far: call it once they are in the log. */
  mark(): () => void {
    const done = new Set(this.#waiting.filter(({ delivered }) => delivered))
    return () => this.#drop(done)
  }

  #deliver(afterword: Afterword, listener: AgentListener): void {
    const answer = afterword.deliver(listener)
    if (!(answer instanceof Promise)) afterword.delivered = true
    else
      answer.then(
        () => this.#drop(new Set([afterword])),
        () => undefined,
      )
  }

  #drop(done: ReadonlySet<Afterword>): void {
    this.#waiting = this.#waiting.filter((each) => !done.has(each))
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}
