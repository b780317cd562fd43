/** A value that is made on first use and shared by all callers. */
export type Lazy<T> = ReturnType<typeof createLazy<T>>

export function createLazy<T>(make: () => Promise<T>) {
  let current: Promise<T> | null = null
  return {
    /** Returns the value, made on the first call. @throws the error of `make`, which the next call tries again */
    get(): Promise<T> {
      if (current) return current
      const attempt = make()
      current = attempt
      attempt.catch(() => {
        if (current === attempt) current = null
      })
      return attempt
    },
    /** The value or the attempt under way; null before the first call and after a failure. */
    get current(): Promise<T> | null {
      return current
    },
    /** Forgets the value, so that the next call makes another one. */
    forget(): void {
      current = null
    },
  }
}
