/** A queue that runs its jobs one after another. */
export type Serial = ReturnType<typeof createSerial>

export function createSerial() {
  let tail: Promise<void> = Promise.resolve()
  return {
    /**
     * Runs `job` when all earlier jobs have ended, at the earliest in the next microtask. A failed job never blocks the
     * next. A job must not wait for a job that it adds to its own queue: neither would end.
     * @returns the result of `job`
     * @throws the error of `job`, to its own caller only
     */
    run<T>(job: () => T | Promise<T>): Promise<T> {
      const done = tail.then(job)
      tail = done.then(ignore, ignore)
      return done
    },
    /** Resolves when all jobs that are in the queue now have ended. Never rejects. */
    idle: (): Promise<void> => tail,
  }
}

/**
 * A queue for each key: jobs of one key run one after another, jobs of different keys at the same time.
 * Creates queues on first use; a queue without jobs is forgotten.
 */
export function createSerialByKey<Key>() {
  const queues = new Map<Key, Serial>()
  return {
    /** @see Serial.run */
    run<T>(key: Key, job: () => T | Promise<T>): Promise<T> {
      const queue = queues.get(key) ?? createSerial()
      queues.set(key, queue)
      const done = queue.run(job)
      const last = queue.idle()
      void last.then(() => queue.idle() === last && queues.delete(key))
      return done
    },
    /** Resolves when all jobs that are in any of the queues now have ended. Never rejects. */
    idle: async (): Promise<void> => void (await Promise.all([...queues.values()].map((queue) => queue.idle()))),
  }
}

const ignore = () => undefined
