import { useSyncExternalStore } from 'react'

/** A value that several components share. State of the server is in the page store instead. */
export interface Cell<T> {
  readonly get: () => T
  readonly set: (next: T) => void
  readonly subscribe: (listener: () => void) => () => void
}

export function createCell<T>(first: T): Cell<T> {
  let value = first
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (next) => {
      if (next === value) return
      value = next
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const useCell = <T>({ subscribe, get }: Cell<T>): T => useSyncExternalStore(subscribe, get)
