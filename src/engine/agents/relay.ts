import type { AgentListener } from '../../host/agent/agent.ts'
import type { RunId } from '../../model/ids.ts'
import { type Afterwords, sizeOf } from './afterwords.ts'

/**
 * Passes an agent's messages to the run that is attached. Agents also speak and ask between runs, and after a prompt
 * was written but before it reaches them: the order of frames decides, and such messages are afterwords.
 */
export interface Relay {
  readonly listener: AgentListener
  readonly afterwords: Afterwords
  /** Passes everything to a run: at once, or from the frame of its prompt on, whose tag begins with the run's id. */
  attach(listener: AgentListener, run: RunId, from: 'now' | 'prompt'): void
  /** The run is over: all later messages are afterwords. Safe to repeat. */
  detach(): void
  /** Drops updates and leaves questions unanswered from now on: the next server receives and answers them. */
  abandon(): void
}

const NEVER = () => new Promise<never>(() => undefined)
const ABANDONED: AgentListener = {
  update: () => undefined,
  prompted: () => undefined,
  replayed: () => undefined,
  permission: NEVER,
  elicit: NEVER,
  read: () => undefined,
  mayWrite: NEVER,
  wrote: () => undefined,
  notice: () => undefined,
}

export function createRelay(afterwords: Afterwords): Relay {
  let run: AgentListener | null = null
  /** The end of a write goes to the run that allowed it, wherever other messages go by then. */
  const writing = new Map<string, AgentListener>()
  let next: { readonly listener: AgentListener; readonly run: RunId } | null = null
  const begin = (begun: { readonly listener: AgentListener; readonly run: RunId }): void => {
    run = begun.listener
    next = null
    afterwords.run = begun.run
  }
  /** Asks the run, or the holder of the session once there is one. The agent withdraws by `signal`. */
  const ask = <Answer>(to: (listener: AgentListener) => Promise<Answer>): Promise<Answer> =>
    run ? to(run) : afterwords.ask(to)
  const tell = (to: (listener: AgentListener) => void, bytes?: number): void => {
    if (run) to(run)
    else afterwords.keep(to, bytes)
  }
  return {
    afterwords,
    listener: {
      update: (update, frame) => tell((to) => to.update(update, frame), run ? 0 : sizeOf(update)),
      prompted(tag, frame) {
        if (next && tag.startsWith(next.run)) begin(next)
        run?.prompted(tag, frame)
      },
      replayed: (update) => (run ?? next?.listener)?.replayed(update),
      permission: (request, signal, frame) => ask((to) => to.permission(request, signal, frame)),
      elicit: (request, signal, frame) => ask((to) => to.elicit(request, signal, frame)),
      read: (path, digest) => tell((to) => to.read(path, digest)),
      async mayWrite(path, digest) {
        const by = run
        const refused = await ask((to) => to.mayWrite(path, digest))
        if (by && refused === null) writing.set(path, by)
        return refused
      },
      wrote(path, digest) {
        const by = writing.get(path)
        writing.delete(path)
        if (by) by.wrote(path, digest)
        else afterwords.keep((to) => to.wrote(path, digest))
      },
      notice: (text, data) => tell((to) => to.notice(text, data)),
    },
    attach(listener, id, from) {
      run = null
      next = { listener, run: id }
      if (from === 'now') begin(next)
    },
    detach() {
      run = null
      next = null
    },
    abandon() {
      run = ABANDONED
      next = null
      afterwords.detach()
    },
  }
}
