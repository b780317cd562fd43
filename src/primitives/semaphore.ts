interface AcquireOptions<Tag> {
  readonly tag: Tag
  readonly signal?: AbortSignal
  readonly onWait?: (before: number) => void
}

/** A FIFO semaphore. Each waiting caller is listed with its `Tag`. */
export function createSemaphore<Tag = undefined>(limit: number) {
  const queue: { readonly tag: Tag; readonly begin: () => void }[] = []
  let taken = 0
  return {
    limit,
    /** Number of permits in use. More than `limit` after `take` without a free permit. */
    get taken(): number {
      return taken
    },
    /** The tags of the waiting callers, first come first. */
    get waiting(): readonly Tag[] {
      return queue.map(({ tag }) => tag)
    },
    /** Takes a permit at once, also when none is free: for things that are in use already. */
    take(): void {
      taken += 1
    },
    /** Returns one permit. The caller that has waited longest gets it in the same step, before any new caller. */
    release(): void {
      taken -= 1
      if (taken < limit) queue.shift()?.begin()
    },
    /** Takes a free permit in turn. `onWait` gets the number of waiting callers. @throws the reason of `signal` */
    async acquire({ tag, signal, onWait }: AcquireOptions<Tag>): Promise<void> {
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
