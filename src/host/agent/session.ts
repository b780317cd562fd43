import { bestEffort } from '../../primitives/best-effort.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { resolvesWithin } from '../../primitives/timers.ts'
import type { Cgroup } from '../cgroups/cgroup.ts'
import type { AgentLaunch, AgentListener, AgentPlace, AgentSession, PromptAnswer } from './contract.ts'
import { readTextFile, writeTextFile } from './files.ts'
import type { PastPrompt } from './past.ts'
import { besideOf } from './reach.ts'
import { openTerminals } from './terminals.ts'
import {
  AgentFailure,
  type AgentRequest,
  type AgentWire,
  CANCELLED,
  INTERNAL_ERROR,
  METHOD_NOT_FOUND,
  type RequestOptions,
  WireError,
} from './wire.ts'

/** Receiver of the agent's frames for one session. */
export interface SessionPort {
  readonly listener: AgentListener
  /** True from a reopen until the first prompt: updates then repeat the past, also after the answer. */
  replaying: boolean
  /** Number of updates so far. */
  updates: number
  takeUpdate(update: unknown, frame: number): void
  /** @throws WireError */
  takeRequest(call: AgentRequest, signal: AbortSignal): Promise<unknown>
  /** Last recorded frame; Infinity while nothing is under way. */
  recorded: number
  /** Answer that opened the session, once it is known. */
  opened: unknown
  /** Makes the session object for the engine, once the agent has answered. */
  face(opened: unknown): AgentSession
  /** Ends open questions and terminals, because the agent has ended. */
  end(): void
}

export interface SessionParts {
  readonly id: string
  readonly wire: AgentWire
  readonly launch: AgentLaunch
  /** Cgroup of the process; its terminals enter it. */
  readonly cgroup: Cgroup | null
  readonly place: AgentPlace
  readonly listener: AgentListener
  readonly canClose: boolean
  /** True: a missing file reads as empty. */
  readonly lenientReads: boolean
  readonly stderrTail: () => string
  readonly forget: () => void
  /** Called after each record. */
  readonly onRecorded: () => void
  /** Prompts whose run is not recorded to its end, by request number. */
  readonly prompts: Map<number, PastPrompt>
  /** Returns the number of the newest frame. */
  readonly seen: () => number
}

const CLOSE_MS = 1_000

export function sessionPort(parts: SessionParts): SessionPort {
  const { listener, place } = parts
  const terminals = openTerminals(parts.launch, place, parts.cgroup)
  const beside = besideOf(parts.launch)
  const open = new Set<AbortController>()
  const withdrawAll = () => {
    for (const controller of open) controller.abort()
  }
  const ask = <Answer>(ask: (signal: AbortSignal) => Promise<Answer>, none: Answer, withdrawn: AbortSignal) =>
    askPerson({ ask, none, withdrawn, open, listener })

  const takeRequest: SessionPort['takeRequest'] = async ({ method, params, no }, signal) => {
    if (method === 'session/request_permission')
      return { outcome: await ask((until) => listener.permission(params, until, no), { outcome: 'cancelled' }, signal) }
    if (method === 'elicitation/create')
      return await ask((until) => listener.elicit(params, until, no), { action: 'cancel' }, signal)
    if (method === 'fs/read_text_file')
      return await readTextFile(params, place, { lenient: parts.lenientReads, listener, beside })
    if (method === 'fs/write_text_file') return await writeTextFile(params, place, { listener, beside })
    if (method.startsWith('terminal/')) return await terminals.handle(method, params)
    throw new WireError(METHOD_NOT_FOUND, `Carrel does not know ${method}.`)
  }
  /** Frame of the newest update. */
  let last = 0
  const port: SessionPort = {
    listener,
    replaying: false,
    updates: 0,
    recorded: Number.POSITIVE_INFINITY,
    opened: null,
    takeUpdate: (update, frame) => {
      port.updates += 1
      if (port.replaying) return listener.replayed(update)
      last = frame
      if (port.recorded === Number.POSITIVE_INFINITY) port.recorded = frame - 1
      listener.update(update, frame)
    },
    takeRequest,
    face: (opened) => {
      const face = sessionFace(parts, opened, withdrawAll, () => void terminals.killAll())
      port.opened = opened
      const prompt: AgentSession['prompt'] = (content, tag = '') => {
        port.replaying = false
        if (port.recorded === Number.POSITIVE_INFINITY) port.recorded = parts.seen()
        return face.prompt(content, tag)
      }
      const recorded: AgentSession['recorded'] = (frame) => {
        port.recorded = recordedUpTo(parts, port.recorded, { frame, last })
        parts.onRecorded()
      }
      return { ...face, prompt, recorded, terminals: terminals.running }
    },
    end: () => {
      withdrawAll()
      void terminals.killAll()
    },
  }
  return port
}

/**
 * Returns the frame up to which a session is recorded after `frame` (null: its prompts are done). Infinity when no
 * prompt is under way and nothing up to its `last` message is still to be recorded.
 */
function recordedUpTo(
  { id, prompts }: SessionParts,
  before: number,
  { frame, last }: { frame: number | null; last: number },
): number {
  const own = [...prompts].filter(([, { session }]) => session === id)
  if (frame === null) for (const [request] of own) prompts.delete(request)
  const now = before === Number.POSITIVE_INFINITY ? before : Math.max(before, frame ?? 0)
  return now >= last && (frame === null || own.length === 0) ? Number.POSITIVE_INFINITY : now
}

function sessionFace(
  parts: SessionParts,
  opened: unknown,
  withdrawAll: () => void,
  endTerminals: () => void,
): Omit<AgentSession, 'recorded' | 'terminals'> {
  const { id, wire } = parts
  const request = async (method: string, params: object, more?: RequestOptions) => {
    try {
      return await wire.request(method, { sessionId: id, ...params }, more)
    } catch (thrown) {
      throw withStderr(thrown, parts.stderrTail())
    }
  }
  let closing: Promise<void> | undefined
  const close = async () => {
    withdrawAll()
    endTerminals()
    // The agent may have messages under way until it answers.
    if (parts.canClose) await bestEffort(resolvesWithin(wire.request('session/close', { sessionId: id }), CLOSE_MS))
    parts.forget()
  }
  return {
    id,
    opened,
    prompt: async (content, tag = '') => {
      const onSent = (request: number) =>
        void parts.prompts.set(request, { id: request, session: id, tag, no: 0, answer: null })
      return promptAnswer(await request('session/prompt', { prompt: content }, { tag, onSent }))
    },
    cancel: () => {
      wire.notify('session/cancel', { sessionId: id })
      withdrawAll()
      endTerminals()
    },
    setMode: async (modeId) => void (await request('session/set_mode', { modeId })),
    setConfigOption: (configId, value) => request('session/set_config_option', { configId, value }),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** Reads the answer to a prompt. @throws AgentFailure for one without a stop reason: nothing says how the turn ended */
export function promptAnswer(raw: unknown): PromptAnswer {
  const stopReason = (raw as { stopReason?: unknown } | null)?.stopReason
  if (typeof stopReason === 'string' && stopReason !== '') return { stopReason, raw }
  const sample = JSON.stringify(raw)?.slice(0, 200) ?? 'nothing'
  throw new AgentFailure(`The agent ended its turn without a stop reason: it answered ${sample}.`, {
    code: INTERNAL_ERROR,
    data: raw,
  })
}

interface Asked<Answer> {
  readonly ask: (signal: AbortSignal) => Promise<Answer>
  readonly none: Answer
  readonly withdrawn: AbortSignal
  readonly open: Set<AbortController>
  readonly listener: AgentListener
}

/**
 * Waits for the listener, but not beyond a cancel: agents wait forever for a missing answer. A failing listener counts
 * as no answer, because an error makes some agents end the turn.
 */
async function askPerson<Answer>({ ask, none, withdrawn, open, listener }: Asked<Answer>): Promise<Answer> {
  const controller = new AbortController()
  open.add(controller)
  const signal = AbortSignal.any([controller.signal, withdrawn])
  try {
    const answer = ask(signal).catch((thrown: unknown) => {
      if (!signal.aborted) listener.notice(`A question of the agent could not be asked: ${messageOf(thrown)}`)
      return none
    })
    const off = new Promise<Answer>((resolve) => {
      if (signal.aborted) resolve(none)
      signal.addEventListener('abort', () => resolve(none), { once: true })
    })
    const settled = await Promise.race([answer, off])
    if (withdrawn.aborted && !controller.signal.aborted) throw new WireError(CANCELLED, 'The request was withdrawn.')
    return settled
  } finally {
    open.delete(controller)
  }
}

/** Adds the agent's last stderr output to a failure, which often names the reason. */
export function withStderr(thrown: unknown, stderrTail: string): unknown {
  if (!(thrown instanceof AgentFailure) || thrown.stderrTail !== '') return thrown
  const { code, data, cause } = thrown
  return new AgentFailure(thrown.message, { ...(code === undefined ? {} : { code }), data, stderrTail, cause })
}
