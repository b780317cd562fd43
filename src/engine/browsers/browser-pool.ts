import { createHash } from 'node:crypto'
import type { Admission } from '../../host/agent/admission.ts'
import {
  type BrowserGround,
  type BrowserLaunch,
  buryBrowser,
  type Outlived,
  PortIsTaken,
  type RunningBrowser,
  resumeBrowser,
  startBrowser,
} from '../../host/browsers/browser.ts'
import type { Hold } from '../../host/browsers/gate-talk.ts'
import { FIRST_PORT, freePorts, PORT_COUNT } from '../../host/ports.ts'
import type { BrowserNote, BrowserUse } from '../../model/browser.ts'
import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { createSlots } from '../slots.ts'
import { type BrowserHolds, createBrowserHolds } from './browser-holds.ts'

/** A run that is to have a browser. */
export interface BrowserWish extends Pick<BrowserNote, 'workspace' | 'session' | 'run' | 'agent'> {
  /** Asked for each time one is started. */
  readonly launch: () => Promise<Pick<BrowserLaunch, 'sandbox' | 'enter' | 'env'>>
  /** Tells the session, in a sentence, with what belongs to it. */
  readonly tell: (level: 'info' | 'warning', text: string, data?: unknown) => void
}

/** A browser that one run has for itself. */
export interface BrowserLease {
  /** Where it is driven, by CDP: the same for all runs of a conversation where that can be, so that its process may stay. */
  readonly url: string
  /** The run is over, however it ended: nothing of the browser stays. Repeatable; after `leave` it does nothing. */
  release(): Promise<void>
  /** The run goes on without this server, and its browser with it. */
  leave(): void
}

/** The browser of a run as Carrel itself reaches it, through all that follow each other in the run. */
export interface BrowserAtHand {
  /** The one that it has, or the next one where that comes up just now. @throws gone when there is none any more */
  running(): Promise<RunningBrowser>
  /** Holds the agent back until released, also where another browser takes this one's place. @throws gone when there is none any more */
  hold(): Promise<Hold>
  /** Fires when the run needs it no more. */
  readonly over: AbortSignal
  readonly wish: Pick<BrowserWish, 'workspace' | 'session' | 'run' | 'tell'>
}

export interface BrowserPool {
  /** First come first served. @throws unavailable when none comes free in time, or none starts */
  lease(wish: BrowserWish, signal: AbortSignal): Promise<BrowserLease>
  /**
   * The browser that the run had in an earlier life of the server, or a new one in its place; null when none is known. At once: its
   * agent is waiting to be taken up, and has the address already.
   */
  rejoin(wish: BrowserWish): BrowserLease | null
  /** Null where the run has none, waits for one, or has that of a service elsewhere. */
  of(run: string): BrowserAtHand | null
  /** Those who have one, then those who wait, in their order. */
  uses(workspace: string): Omit<BrowserUse, 'holder'>[]
  /** How many there may be at once, and how many are taken, in all workspaces. */
  readonly most: number
  readonly taken: number
  /** Ends what an earlier life left and nobody has taken up. */
  dropOutlived(): Promise<void>
  close(): Promise<void>
}

export interface BrowserPoolOptions {
  /** Looked for only when it is needed. @throws unavailable when there is none */
  readonly program: () => string
  /** A service elsewhere that gives each connection a browser of its own; null for those of this machine. */
  readonly endpoint: string | null
  readonly ground: BrowserGround
  readonly admission: Admission
  readonly most: number
  readonly waitMs: number
  readonly graceMs: number
  readonly outlived: readonly Outlived[]
  /** Ports that are promised to places. */
  readonly promised: () => Promise<readonly number[]>
  /** `uses` of a workspace may be others now. */
  readonly changed?: (workspace: string) => void
}

/** What one run has, through however many processes. */
interface Held {
  readonly wish: BrowserWish
  readonly since: number
  /** Fires when the run needs it no more. */
  readonly over: AbortController
  /** Hosts that its sandbox did not let it through to. */
  readonly stopped: Set<string>
  /** 0 until it is found. */
  port: number
  running: RunningBrowser | null
  /** While one comes up, also in the place of one that ended. Never rejects. */
  coming: Promise<void> | null
  readonly holds: BrowserHolds
  replaced: number
}

/** A browser that ends so often in one run is not what the run needs. */
const MOST_REPLACED = 5
/** So many hosts that a browser did not reach are told in one run. */
const MOST_STOPPED = 10
/** So many ports are tried for one browser. */
const TRIES = 8

/**
 * The browsers of this node: each is a process of one run with a profile of its own, and there are never more than
 * allowed. One that ends by itself is replaced at the same address.
 */
export function createBrowserPool(options: BrowserPoolOptions): BrowserPool {
  const { ground, endpoint, graceMs, most } = options
  const held = new Set<Held>()
  const outlived = new Map(options.outlived.map((each) => [String(each.note.run), each]))
  /** Conversations whose last browser is ending now, and where the last one was. */
  const ending = new Map<string, Promise<void>>()
  const lastPort = new Map<string, number>()
  const closing = new AbortController()
  const minutes = Math.round(options.waitMs / 60_000)
  const slots = createSlots<BrowserWish>({
    most,
    waitMs: options.waitMs,
    now: ground.now,
    words: {
      calledOff: 'The wait for a browser was called off.',
      tooLong: `No browser came free within ${minutes} min: ${inUse(most)}. Cancel a run that has one (\`carrel env browsers\`), allow more (browsersAtOnce), or prompt again later.`,
    },
  })
  for (const _ of options.outlived) slots.take()

  const changed = ({ workspace }: BrowserWish) => options.changed?.(workspace)
  const drop = (one: Held) => {
    held.delete(one)
    slots.giveBack()
    changed(one.wish)
  }

  const hold = (wish: BrowserWish, port: number): Held => {
    const over = new AbortController()
    const holds = createBrowserHolds()
    over.signal.addEventListener('abort', holds.end)
    const since = ground.now()
    const stopped = new Set<string>()
    const one = { wish, since, over, stopped, port, running: null, coming: null, holds, replaced: 0 }
    held.add(one)
    changed(wish)
    return one
  }

  const start = async (one: Held, signal: AbortSignal): Promise<void> => {
    const off = AbortSignal.any([signal, one.over.signal, closing.signal])
    const { launch: launchOf, tell: _tell, ...whose } = one.wish
    const launch = await launchOf()
    const note = { ...whose, port: one.port, at: ground.now() }
    const admitted = await options.admission.acquire(off)
    const { any: held } = one.holds
    try {
      const program = options.program()
      const stopped = tellStopped(one)
      one.running = await startBrowser({ ...launch, program, note, stopped, held, graceMs, signal: off }, ground)
    } finally {
      admitted()
    }
    watch(one, one.running)
    changed(one.wish)
    if (held) await carryHolds(one, one.running)
  }

  /** It lets nothing through until it was held for the first time. */
  const carryHolds = async ({ holds }: Held, running: RunningBrowser) => {
    const first = await running.hold().catch(() => null)
    await holds.carryTo(running)
    first?.release()
  }

  /** The port of the conversation's last browser where it is free, else the next that is. */
  const startSomewhere = async (one: Held, signal: AbortSignal): Promise<void> => {
    const context = contextOf(one.wish)
    await ending.get(context)
    const taken = new Set([...(await options.promised()), ...[...held].map(({ port }) => port)])
    const from = lastPort.get(context) ?? FIRST_PORT + hashOf(context)
    for (const port of await freePorts(from - FIRST_PORT, TRIES, taken)) {
      if ([...held].some((other) => other.port === port)) continue
      one.port = port
      lastPort.set(context, port)
      try {
        return await start(one, signal)
      } catch (thrown) {
        if (!(thrown instanceof PortIsTaken)) throw thrown
      }
    }
    throw new CarrelError('unavailable', 'No browser could be started: no port was free for one. Prompt again.')
  }

  const watch = (one: Held, running: RunningBrowser) => {
    void running.exited.then(({ signal, code }) => {
      if (one.over.signal.aborted || one.running !== running) return
      one.running = null
      changed(one.wish)
      comes(one, replace(one, running, signal ?? `exit code ${code}`))
    })
  }

  const comes = (one: Held, task: Promise<void>) => {
    const coming = task
      .catch(() => undefined)
      .finally(() => {
        if (one.coming === coming) one.coming = null
      })
    one.coming = coming
  }

  /** It ended, and nobody asked for that. */
  const replace = async (one: Held, gone: RunningBrowser | null, how: string) => {
    await gone?.end()
    const { tell } = one.wish
    const ended = `The browser of this run ended (${how}).`
    if (one.replaced >= MOST_REPLACED) return tell('warning', `${ended} It has ended too often to be replaced again.`)
    one.replaced += 1
    try {
      await start(one, one.over.signal)
      tell('warning', `${ended} ${NEW_ONE}`)
    } catch (thrown) {
      const why = thrown instanceof PortIsTaken ? `${thrown.message}.` : asCarrelError(thrown).message
      if (!one.over.signal.aborted) tell('warning', `${ended} No new one came up: ${why}`)
    }
  }

  const resume = async (one: Held, left: Outlived) => {
    one.running = await resumeBrowser(left, ground, tellStopped(one)).catch(() => null)
    changed(one.wish)
    if (one.running) watch(one, one.running)
    else await replace(one, null, 'while no server was there')
  }

  const end = async (one: Held) => {
    one.over.abort()
    await one.coming
    await one.running?.end()
    drop(one)
  }

  const leaseOf = (one: Held): BrowserLease => ({
    url: endpoint ?? `http://127.0.0.1:${one.port}`,
    async release() {
      if (one.over.signal.aborted) return
      const context = contextOf(one.wish)
      const ended = end(one)
      ending.set(context, ended)
      await ended
      if (ending.get(context) === ended) ending.delete(context)
    },
    leave() {
      if (one.over.signal.aborted) return
      one.over.abort()
      // It may be that it is taken up just now.
      void Promise.resolve(one.coming).then(() => one.running?.leave())
      drop(one)
    },
  })

  return {
    most,
    get taken() {
      return slots.taken
    },
    async lease(wish, signal) {
      await slots
        .wait(wish, AbortSignal.any([signal, closing.signal]), (before) => {
          wish.tell('info', waits(most, before))
          changed(wish)
        })
        .finally(() => changed(wish))
      const one = hold(wish, 0)
      try {
        if (endpoint === null) {
          const started = startSomewhere(one, signal)
          comes(one, started)
          await started
        }
        return leaseOf(one)
      } catch (thrown) {
        await end(one)
        throw thrown
      }
    },
    rejoin(wish) {
      const left = outlived.get(wish.run)
      if (endpoint !== null) {
        slots.take()
        return leaseOf(hold(wish, 0))
      }
      if (!left) return null
      // Its slot is this run's from now on.
      outlived.delete(wish.run)
      const one = hold(wish, left.note.port)
      lastPort.set(contextOf(wish), one.port)
      comes(one, resume(one, left))
      return leaseOf(one)
    },
    of(run) {
      const one = endpoint === null && [...held].find(({ wish }) => wish.run === run)
      return one ? atHand(one) : null
    },
    uses: (workspace) => {
      const own = [...held].filter(({ wish }) => wish.workspace === workspace)
      const queued = slots.waiting.filter(({ who }) => who.workspace === workspace)
      return [
        ...own.map((one) =>
          useOf(one.wish, one.since, one.running || endpoint !== null ? 'ready' : 'starting', one.replaced),
        ),
        ...queued.map(({ who, since }) => ({
          ...useOf(who, since, 'waiting', 0),
          before: slots.waiting.findIndex((other) => other.who === who),
        })),
      ]
    },
    async dropOutlived() {
      const left = [...outlived.values()]
      outlived.clear()
      await Promise.all(left.map((each) => buryBrowser(each, ground).finally(() => slots.giveBack())))
    },
    async close() {
      closing.abort()
      await Promise.all([...[...held].map((one) => leaseOf(one).release()), ...ending.values()])
    },
  }
}

function atHand(one: Held): BrowserAtHand {
  const running = async () => {
    await one.coming
    if (one.running !== null && !one.over.signal.aborted) return one.running
    throw new CarrelError('gone', 'This run has no browser any more.')
  }
  const { over, wish } = one
  return { running, hold: async () => await one.holds.hold(await running()), over: over.signal, wish }
}

/** Each once, and not all: pages want much from many. */
const tellStopped = (one: Held) => (target: string) => {
  if (one.stopped.has(target) || one.stopped.size >= MOST_STOPPED) return
  one.stopped.add(target)
  const text = `The sandbox did not let the browser of this run through to ${target}. If it is to reach it, add the host to the hosts of this Space.`
  one.wish.tell('info', text)
}

const NEW_ONE = 'It has a new one at the same address; pages and logins of the old one are gone.'

const waits = (most: number, before: number): string =>
  `This run waits for a browser: ${inUse(most)}${before === 0 ? '' : `, and ${before} ${before === 1 ? 'waits' : 'wait'} before it`}.`

const contextOf = ({ session, agent }: BrowserWish): string => `${session} ${agent}`
/** Where the search begins is a conversation's own, so that two seldom come to the same number. */
const hashOf = (context: string) => createHash('sha256').update(context).digest().readUInt32BE(0) % PORT_COUNT

const useOf = ({ run, session, agent }: BrowserWish, since: number, state: BrowserUse['state'], replaced: number) => ({
  before: null,
  run,
  session,
  agent,
  state,
  since,
  replaced,
})

const inUse = (most: number): string => (most === 1 ? 'the only one is in use' : `all ${most} are in use`)
