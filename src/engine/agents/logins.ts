import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { homesOf, shareLogin } from '../../host/identity/logins.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import type { HeldLease, Leases } from '../leases.ts'
import type { Log } from '../log.ts'

/** Logins of agents with homes of their own: one process at a time starts, and may refresh, and what it got reaches the others. */
export interface Logins {
  /** Starts an agent with the newest login in its home, and brings back what it made of it. */
  around<Started extends { readonly exited: Promise<unknown> }>(
    recipe: AgentRecipe,
    /** Null for the person's. */
    ownHome: string | null,
    start: () => Promise<Started>,
    signal: AbortSignal,
  ): Promise<Started>
  /** Brings back the login of a home that nobody lives in any more, and takes the home away before anybody brings one there. */
  retire(recipe: AgentRecipe, ownHome: string, remove: () => Promise<void>): Promise<void>
  /** Waits for what is being brought back. */
  close(): Promise<void>
}

interface Options {
  readonly leases: Leases
  /** The person's own home, where they log in. */
  readonly home: string
  readonly dataFolder: string
  readonly log: Pick<Log, 'warn'>
}

/** Others start in the meantime, one after the other. ms. */
const LOOK_MS = 20

export function createLogins({ leases, home, dataFolder, log }: Options): Logins {
  const share = async ({ id, loginFiles }: AgentRecipe) => {
    const homes = await homesOf(join(dataFolder, 'homes'), id)
    for (const file of loginFiles)
      await shareLogin(
        join(home, file),
        homes.map((each) => join(each, file)),
      )
  }
  const alone = async <T>({ id }: AgentRecipe, signal: AbortSignal, act: () => Promise<T>): Promise<T> => {
    const lease = await untilMine(leases, `login:${id}:${placeOf(home)}`, signal)
    try {
      return await act()
    } finally {
      await lease.release()
    }
  }
  const bringingBack = new Set<Promise<void>>()
  return {
    async around(recipe, ownHome, start, signal) {
      if (ownHome === null || recipe.loginFiles.length === 0) return await start()
      const started = await alone(recipe, signal, async () => {
        await share(recipe)
        const agent = await start()
        await share(recipe)
        return agent
      })
      void started.exited.then(() => {
        const task = alone(recipe, AbortSignal.timeout(LAST_MS), () => share(recipe))
          .catch((thrown) =>
            log.warn(`The login of ${recipe.name} could not be brought back; the next start does it.`, thrown),
          )
          .finally(() => bringingBack.delete(task))
        bringingBack.add(task)
      })
      return started
    },
    async retire(recipe, ownHome, remove) {
      if (recipe.loginFiles.length === 0 || !isPresent(ownHome)) return await remove()
      await alone(recipe, AbortSignal.timeout(LAST_MS), async () => {
        await share(recipe)
        await remove()
      })
    },
    close: async () => void (await Promise.all(bringingBack)),
  }
}

/** For a login that is brought back after the end: the next start does it otherwise. ms. */
const LAST_MS = 10_000

async function untilMine(leases: Leases, key: string, signal: AbortSignal): Promise<HeldLease> {
  for (;;) {
    signal.throwIfAborted()
    const lease = await leases.acquire(key)
    if (lease) return lease
    await pause(LOOK_MS, undefined, { signal })
  }
}

/** A lease is known to all nodes; a home is of one machine. */
const placeOf = (home: string): string => createHash('sha256').update(home).digest('hex').slice(0, 12)
