/** A FIFO semaphore. Each waiting caller is listed with its `Tag`. */
export interface Semaphore<Tag = undefined> {
  readonly limit: number
  /** Number of permits in use. More than `limit` after `take` without a free permit. */
  readonly taken: number
  /** The tags of the waiting callers, first come first. */
  readonly waiting: readonly Tag[]
  /** Takes a permit at once, also when none is free: for things that are in use already. */
  take(): void
  /** Returns one permit. The caller that has waited longest gets it in the same step, before any new caller. */
  release(): void
  /** Takes a free permit in turn. `onWait` gets the number of waiting callers. @throws the reason of `signal` */
  acquire(options: AcquireOptions<Tag>): Promise<void>
}

interface AcquireOptions<Tag> {
  readonly tag: Tag
  readonly signal?: AbortSignal
  readonly onWait?: (before: number) => void
}

export function createSemaphore<Tag = undefined>(limit: number): Semaphore<Tag> {
  const queue: { readonly tag: Tag; readonly begin: () => void }[] = []
  let taken = 0
  return {
    limit,
    get taken() {
      return taken
    },
    get waiting() {
      return queue.map(({ tag }) => tag)
    },
    take() {
      taken += 1
    },
    release() {
      taken -= 1
      if (taken < limit) queue.shift()?.begin()
    },
    async acquire({ tag, signal, onWait }) {
      signal?.throwIfAborted()
      if (taken < limit && queue.length === 0) {
        taken += 1
        return
      }
      await new Promise<void>((resolve, reject) => {
        const begin = () => {
          taken += 1
          signal?.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          queue.splice(queue.indexOf(entry), 1)
          reject(signal?.reason)
        }
        const entry = { tag, begin }
        const before = queue.push(entry) - 1
        signal?.addEventListener('abort', leave, { once: true })
        onWait?.(before)
      })
    },
  }
}
