import { useState } from 'react'

/** The expanded rows of a list, by key. */
export function useKeys(): readonly [ReadonlySet<string>, (key: string) => void] {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const toggle = (key: string): void => {
    const next = new Set(open)
    if (!next.delete(key)) next.add(key)
    setOpen(next)
  }
  return [open, toggle]
}
