import { useState } from 'react'
import type { FileState } from '../../src/model/history.ts'
import { recall, remember } from '../data/memory.ts'

/** What stood at a path when it was marked: once it is another content the mark does not hold. */
const stampOf = (state: FileState | null): string => (state === null ? '-' : `${state.digest}.${state.mode}`)

function read(key: string): Record<string, string> {
  try {
    return (JSON.parse(recall(key) ?? '{}') ?? {}) as Record<string, string>
  } catch {
    return {}
  }
}

/** Marks of one session: which files a person has looked at, kept in this browser. */
export function useViewed(session: string) {
  const key = `viewed.${session}`
  const [marks, setMarks] = useState(() => read(key))
  return {
    has: (path: string, state: FileState | null): boolean => marks[path] === stampOf(state),
    set: (path: string, state: FileState | null, viewed: boolean): void => {
      const { [path]: _, ...others } = read(key)
      const next = viewed ? { ...others, [path]: stampOf(state) } : others
      setMarks(next)
      remember(key, Object.keys(next).length > 0 ? JSON.stringify(next) : null)
    },
  }
}

export type Viewed = ReturnType<typeof useViewed>
