import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { homesOf, shareLogin } from '../../host/identity/logins.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { awakeSignal } from '../../primitives/timers.ts'
import type { HeldLease, Leases } from '../leases.ts'
import type { Log } from '../log.ts'

/**
 * Logins of agents with homes of their own. One process at a time starts, and may refresh its login; the result is
 * copied to the other homes.
 */
export interface Logins {
  /** Starts an agent with the newest login in its home, and copies the login back after the start and after its end. */
  around<Started extends { readonly exited: Promise<unknown> }>(
    recipe: AgentRecipe,
    /** Null for the person's home, which needs no copy. */
    ownHome: string | null,
    start: () => Promise<Started>,
    signal: AbortSignal,
  ): Promise<Started>
  /** Copies the login of an unused home back, and removes the home under the same lease: no other copy can come between. */
  retire(recipe: AgentRecipe, ownHome: string, remove: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

interface Options {
  readonly leases: Pick<Leases, 'acquire'>
  /** The person's own home, where they log in. */
  readonly home: string
  readonly dataFolder: string
  readonly log: Pick<Log, 'warn'>
}

/** Time between attempts to get the lease: other agents start one after another. ms. */
const RETRY_MS = 20

export function createLogins({ leases, home, dataFolder, log }: Options): Logins {
  const share = async ({ id, loginFiles }: AgentRecipe) => {
    const homes = await homesOf(join(dataFolder, 'homes'), id)
    for (const file of loginFiles)
      await shareLogin(
        join(home, file),
        homes.map((each) => join(each, file)),
      )
  }
  const exclusive = async <T>({ id }: AgentRecipe, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    const lease = await acquire(leases, `login:${id}:${hashOf(home)}`, signal)
    try {
      return await work()
    } finally {
      await lease.release()
    }
  }
  const copying = new Set<Promise<void>>()
  return {
    async around(recipe, ownHome, start, signal) {
      if (ownHome === null || recipe.loginFiles.length === 0) return await start()
      const started = await exclusive(recipe, signal, async () => {
        await share(recipe)
        const agent = await start()
        await share(recipe)
        return agent
      })
      void started.exited.then(() => {
        const task = exclusive(recipe, awakeSignal(LAST_COPY_MS), () => share(recipe))
          .catch((thrown) =>
            log.warn(`The login of ${recipe.name} could not be copied back; the next start tries again.`, thrown),
          )
          .finally(() => copying.delete(task))
        copying.add(task)
      })
      return started
    },
    async retire(recipe, ownHome, remove) {
      if (recipe.loginFiles.length === 0 || !isPresent(ownHome)) return await remove()
      await exclusive(recipe, awakeSignal(LAST_COPY_MS), async () => {
        await share(recipe)
        await remove()
      })
    },
    close: async () => void (await Promise.all(copying)),
  }
}

/** Longest wait to copy a login back after the end of an agent; otherwise the next start does it. ms. */
const LAST_COPY_MS = 10_000

/** Acquires a lease, waiting for its holder. @throws when `signal` fires first */
async function acquire(leases: Options['leases'], key: string, signal: AbortSignal): Promise<HeldLease> {
  for (;;) {
    signal.throwIfAborted()
    const lease = await leases.acquire(key)
    if (lease) return lease
    await pause(RETRY_MS, undefined, { signal })
  }
}

/** Makes the lease specific to one machine's home: all nodes share the names of leases. */
const hashOf = (home: string): string => createHash('sha256').update(home).digest('hex').slice(0, 12)
