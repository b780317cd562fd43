import type { Hold } from '../../host/browsers/gate-talk.ts'
import { openScreen, type Screen } from '../../host/browsers/screen.ts'
import type {
  BrowserFrame,
  BrowserHolder,
  BrowserInput,
  BrowserScene,
  BrowserTab,
  Sight,
} from '../../model/browser-sight.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Who } from '../../model/tree.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { createSerial, type Serial } from '../../primitives/serial.ts'
import type { BrowserAtHand } from './browser-pool.ts'

/** The browsers of runs as people meet them: looked at by many, taken over by one. */
export interface BrowserDesk {
  /**
   * The scene at once and whenever it is another, and the newest picture after it; a slow reader misses pictures and
   * nothing queues. Pictures are made while somebody watches only. Ends with the run's need.
   */
  watch(hand: BrowserAtHand, signal: AbortSignal): AsyncGenerator<Sight>
  /** The agent waits from now on. @throws busy while somebody else has it; gone with the run's browser */
  takeOver(hand: BrowserAtHand, by: Who): Promise<{ hold: string; holder: BrowserHolder }>
  /** `hold` null: whoever has it. False where nobody had it by that name. */
  handBack(run: string, hold: string | null, by: Who): boolean
  /** In order, after what was sent before. @throws gone when it was handed back meanwhile; unavailable when the browser refuses */
  input(hand: BrowserAtHand, hold: string, inputs: readonly BrowserInput[]): Promise<void>
  /** Shows another tab to all who look; whoever has taken over brings it to the front too. */
  show(hand: BrowserAtHand, tab: string, hold: string | null): Promise<void>
  /** @throws unavailable when there is nothing to be seen */
  picture(hand: BrowserAtHand): Promise<BrowserFrame & BrowserTab>
  holder(run: string): BrowserHolder | null
  /** Everything is handed back, and nobody looks any more. */
  close(): void
}

interface DeskOptions {
  /** ms since 1970. */
  readonly now: () => number
  readonly id: () => string
  /** `uses` of a workspace may be others now. */
  readonly changed: (workspace: string) => void
  /** How long somebody has it without looking or doing anything. ms. */
  readonly idleMs: number
}

/** Nobody looked at it for so long: the agent has it again. */
export const LOOKED_AWAY_MS = 180_000
/** A picture of a moving page for one reader at most so often. ms. */
const FRAME_MS = 60

interface Taken extends BrowserHolder {
  readonly id: string
  readonly hold: Hold
  idle: NodeJS.Timeout | null
}

/** One run's browser, while somebody looks at it or has it. */
interface Seen {
  readonly hand: BrowserAtHand
  screen: Screen | null
  opening: Promise<Screen> | null
  readonly watchers: Set<() => void>
  taken: Taken | null
  /** So that two who ask at once do not both get it. */
  taking: boolean
  /** One action after another. */
  readonly actions: Serial
  acting: number
}

export function createBrowserDesk({ now, id, changed, idleMs }: DeskOptions): BrowserDesk {
  const all = new Map<string, Seen>()

  const seenOf = (hand: BrowserAtHand): Seen => {
    const known = all.get(hand.wish.run)
    if (known && known.hand.over === hand.over) return known
    const seen: Seen = {
      hand,
      screen: null,
      opening: null,
      watchers: new Set(),
      taken: null,
      taking: false,
      actions: createSerial(),
      acting: 0,
    }
    all.set(hand.wish.run, seen)
    const over = () => {
      if (seen.taken) letGo(seen)
      tell(seen)
      rest(seen)
    }
    if (!hand.over.aborted) hand.over.addEventListener('abort', over, { once: true })
    return seen
  }
  const tell = ({ watchers }: Seen) => {
    for (const wake of watchers) wake()
  }

  /** Nobody looks, has it or acts: nothing of it is kept open. */
  const rest = (seen: Seen) => {
    const { hand, watchers, taken, taking, acting } = seen
    if (!hand.over.aborted && (watchers.size > 0 || taken || taking || acting > 0)) return
    seen.screen?.close()
    if (watchers.size === 0 && all.get(hand.wish.run) === seen) all.delete(hand.wish.run)
  }

  /** The screen that is open, or a new one: also of a browser that took another's place. @throws gone */
  const screenOf = (seen: Seen): Promise<Screen> => {
    if (seen.screen) return Promise.resolve(seen.screen)
    seen.opening ??= open(seen).finally(() => {
      seen.opening = null
    })
    return seen.opening
  }
  const open = async (seen: Seen): Promise<Screen> => {
    const { own } = await seen.hand.running()
    const screen = await openScreen(own, now, () => tell(seen)).catch((thrown) => {
      throw new CarrelError(
        'unavailable',
        'The browser of this run cannot be reached just now. Try again.',
        undefined,
        thrown,
      )
    })
    seen.screen = screen
    screen.look(seen.watchers.size > 0)
    void screen.closed.then(() => {
      seen.screen = null
      tell(seen)
    })
    tell(seen)
    return screen
  }
  const act = async <T>(seen: Seen, work: (screen: Screen) => Promise<T>): Promise<T> => {
    seen.acting += 1
    try {
      const screen = await screenOf(seen)
      return await seen.actions.run(() => work(screen))
    } catch (thrown) {
      if (thrown instanceof CarrelError) throw thrown
      const why = messageOf(thrown)
      throw new CarrelError('unavailable', `The browser of this run did not do that: ${why}`, undefined, thrown)
    } finally {
      seen.acting -= 1
      rest(seen)
    }
  }

  const letGo = (seen: Seen) => {
    const { taken } = seen
    if (!taken) return
    seen.taken = null
    clearTimeout(taken.idle ?? undefined)
    taken.hold.release()
    changed(seen.hand.wish.workspace)
    tell(seen)
    rest(seen)
  }
  /** Begins to count where nobody looks; each act begins anew. */
  const idle = (seen: Seen) => {
    const { taken } = seen
    if (!taken) return
    clearTimeout(taken.idle ?? undefined)
    taken.idle = null
    if (seen.watchers.size > 0) return
    taken.idle = setTimeout(() => {
      letGo(seen)
      seen.hand.wish.tell('info', `The browser was handed back to the agent: ${taken.by.name} did not look any more.`)
    }, idleMs)
  }
  const mine = (seen: Seen, hold: string): Taken => {
    if (seen.taken?.id === hold) return seen.taken
    const who = seen.taken ? `${seen.taken.by.name} has it now.` : 'It was handed back to the agent.'
    throw new CarrelError('gone', `You do not have this browser any more: ${who} Take it over again.`)
  }

  return {
    async *watch(hand, signal) {
      const seen = seenOf(hand)
      let woken = false
      let wake: (() => void) | null = null
      const watcher = () => {
        woken = true
        wake?.()
      }
      const watching = AbortSignal.any([signal, hand.over])
      seen.watchers.add(watcher)
      watching.addEventListener('abort', watcher)
      seen.screen?.look(true)
      idle(seen)
      let said = ''
      let shown: BrowserFrame | null = null
      let shownAt = Number.NEGATIVE_INFINITY
      const sleep = (ms: number | null) =>
        new Promise<void>((resolve) => {
          const timer = ms === null ? null : setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer ?? undefined)
            resolve()
          }
          if (woken) wake()
        })
      try {
        while (!watching.aborted) {
          woken = false
          // One that went, and one that is not there yet, is waited for by whoever looks.
          if (seen.screen === null) void screenOf(seen).catch(() => undefined)
          const scene = sceneOf(seen)
          const words = JSON.stringify(scene)
          if (words !== said) {
            said = words
            yield { kind: 'scene', scene }
          }
          const frame: BrowserFrame | null = seen.screen?.frame ?? null
          const due = shownAt + FRAME_MS - performance.now()
          if (frame !== null && frame !== shown && due <= 0) {
            shown = frame
            shownAt = performance.now()
            yield { kind: 'frame', frame }
            continue
          }
          await sleep(frame !== null && frame !== shown ? Math.max(due, 1) : seen.screen === null ? AGAIN_MS : null)
          wake = null
        }
        if (hand.over.aborted && !signal.aborted) yield { kind: 'ended' }
      } finally {
        seen.watchers.delete(watcher)
        watching.removeEventListener('abort', watcher)
        if (seen.watchers.size === 0) seen.screen?.look(false)
        idle(seen)
        rest(seen)
      }
    },
    async takeOver(hand, by) {
      const seen = seenOf(hand)
      const { taken } = seen
      if (taken || seen.taking) {
        const who = taken ? `${taken.by.name} has taken it over` : 'Somebody is taking it over'
        throw new CarrelError('busy', `${who}. Wait until it is handed back, or hand it back for them.`, {
          holder: holderOf(taken),
        })
      }
      seen.taking = true
      try {
        const hold = await hand.hold()
        const mine: Taken = { id: id(), by, since: now(), hold, idle: null }
        seen.taken = mine
        hand.wish.tell('info', `${by.name} took over the browser of this run. The agent waits when it uses it.`)
        void hold.over.then(() => {
          if (seen.taken === mine) letGo(seen)
        })
        idle(seen)
        changed(hand.wish.workspace)
        tell(seen)
        return { hold: mine.id, holder: { by, since: mine.since } }
      } finally {
        seen.taking = false
        rest(seen)
      }
    },
    handBack(run, hold, by) {
      const seen = all.get(run)
      if (!seen?.taken || (hold !== null && seen.taken.id !== hold)) return false
      const whose = seen.taken.by.name === by.name ? '' : `, which ${seen.taken.by.name} had`
      letGo(seen)
      seen.hand.wish.tell('info', `${by.name} handed the browser of this run back to the agent${whose}.`)
      return true
    },
    async input(hand, hold, inputs) {
      const seen = seenOf(hand)
      mine(seen, hold)
      idle(seen)
      await act(seen, async (screen) => {
        // It may have been taken away while others were at it.
        mine(seen, hold)
        await screen.act(inputs)
      })
    },
    async show(hand, tab, hold) {
      const seen = seenOf(hand)
      if (hold !== null) mine(seen, hold)
      await act(seen, (screen) => screen.show(tab, hold !== null))
    },
    picture: (hand) => act(seenOf(hand), (screen) => screen.picture()),
    holder: (run) => holderOf(all.get(run)?.taken ?? null),
    close() {
      for (const seen of [...all.values()]) {
        if (seen.taken) {
          letGo(seen)
          seen.hand.wish.tell('info', 'The browser was handed back to the agent: the server stops.')
        }
        seen.screen?.close()
      }
    },
  }
}

/** A browser that could not be reached is looked for again so often, while somebody looks. ms. */
const AGAIN_MS = 1_000

const holderOf = (taken: Taken | null): BrowserHolder | null => taken && { by: taken.by, since: taken.since }

const sceneOf = ({ screen, taken }: Seen): BrowserScene => ({
  state: screen === null ? 'starting' : 'live',
  tabs: [...(screen?.tabs ?? [])],
  shown: screen?.shown ?? null,
  dialog: screen?.dialog ?? null,
  holder: holderOf(taken),
})
