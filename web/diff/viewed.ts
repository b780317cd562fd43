import { useState } from 'react'
import type { FileState } from '../../src/model/files/history.ts'
import { recall, remember } from '../data/memory.ts'

/** The content of a path at the time of its mark. The mark does not hold for other content. */
const stampOf = (state: FileState | null): string => (state === null ? '-' : `${state.digest}.${state.mode}`)

function read(key: string): Record<string, string> {
  try {
    return (JSON.parse(recall(key) ?? '{}') ?? {}) as Record<string, string>
  } catch {
    return {}
  }
}

/** The files of a session that a person has viewed. This browser alone stores the marks. */
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
