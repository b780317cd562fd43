import type { RunningBrowser } from '../../host/browsers/browser.ts'
import type { Hold } from '../../host/browsers/gate-talk.ts'

/** Those who hold the browser of one run: each holds it through whatever browsers follow each other. */
export interface BrowserHolds {
  readonly any: boolean
  /** Resolves once the agent is held back at `running`. @throws gone when that has ended */
  hold(running: RunningBrowser): Promise<Hold>
  /** Goes on at the one that took its place. Never rejects: where that has ended too, another follows. */
  carryTo(running: RunningBrowser): Promise<void>
  /** The run needs it no more: everybody lets go. */
  end(): void
}

export function createBrowserHolds(): BrowserHolds {
  const holders = new Set<Holder>()
  const letGo = (holder: Holder) => {
    holders.delete(holder)
    holder.at?.release()
    holder.over.resolve()
  }
  const take = async (holder: Holder, running: RunningBrowser) => {
    const at = await running.hold()
    if (holders.has(holder)) holder.at = at
    else at.release()
  }
  return {
    get any() {
      return holders.size > 0
    },
    async hold(running) {
      const holder: Holder = { at: null, over: Promise.withResolvers() }
      holders.add(holder)
      try {
        await take(holder, running)
      } catch (thrown) {
        letGo(holder)
        throw thrown
      }
      return { release: () => letGo(holder), over: holder.over.promise }
    },
    async carryTo(running) {
      await Promise.allSettled([...holders].map((holder) => take(holder, running)))
    },
    end() {
      for (const holder of [...holders]) letGo(holder)
    },
  }
}

interface Holder {
  at: Hold | null
  readonly over: PromiseWithResolvers<void>
}
