/** A queue that runs its jobs one after another. */
export interface Serial {
  /**
   * Runs `job` when all earlier jobs have ended, at the earliest in the next microtask. A failed job never blocks the
   * next. A job must not wait for a job that it adds to its own queue: neither would end.
   * @returns the result of `job`
   * @throws the error of `job`, to its own caller only
   */
  run<T>(job: () => T | Promise<T>): Promise<T>
  /** Resolves when all jobs that are in the queue now have ended. Never rejects. */
  idle(): Promise<void>
}

/** A queue for each key: jobs of one key run one after another, jobs of different keys at the same time. */
export interface SerialByKey<Key> {
  /** @see Serial.run */
  run<T>(key: Key, job: () => T | Promise<T>): Promise<T>
  /** Resolves when all jobs that are in any of the queues now have ended. Never rejects. */
  idle(): Promise<void>
}

export function createSerial(): Serial {
  let tail: Promise<void> = Promise.resolve()
  return {
    run(job) {
      const done = tail.then(job)
      tail = done.then(ignore, ignore)
      return done
    },
    idle: () => tail,
  }
}

/** Creates queues on first use; a queue without jobs is forgotten. */
export function createSerialByKey<Key>(): SerialByKey<Key> {
  const queues = new Map<Key, Serial>()
  return {
    run(key, job) {
      const queue = queues.get(key) ?? createSerial()
      queues.set(key, queue)
      const done = queue.run(job)
      const last = queue.idle()
      void last.then(() => queue.idle() === last && queues.delete(key))
      return done
    },
    idle: async () => void (await Promise.all([...queues.values()].map((queue) => queue.idle()))),
  }
}

const ignore = () => undefined
