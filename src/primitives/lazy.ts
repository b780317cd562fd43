/** A value that is made on first use and shared by all callers. */
export interface Lazy<T> {
  /** Returns the value, made on the first call. @throws the error of `make`, which the next call tries again */
  get(): Promise<T>
  /** The value or the attempt under way; null before the first call and after a failure. */
  readonly current: Promise<T> | null
  /** Forgets the value, so that the next call makes another one. */
  forget(): void
}

export function createLazy<T>(make: () => Promise<T>): Lazy<T> {
  let current: Promise<T> | null = null
  return {
    get() {
      if (current) return current
      const attempt = make()
      current = attempt
      attempt.catch(() => {
        if (current === attempt) current = null
      })
      return attempt
    },
    get current() {
      return current
    },
    forget() {
      current = null
    },
  }
}
