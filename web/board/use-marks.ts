import { useCallback, useMemo, useRef, useState } from 'react'

export interface Marks {
  /** In the order of the board, without sessions that have left it. */
  readonly ids: readonly string[]
  readonly has: (id: string) => boolean
  readonly toggle: (id: string) => void
  /** Selects all cards between the last selected one and this one, in the order of the board. */
  readonly extend: (id: string) => void
  readonly clear: () => void
}

/** The selected cards. */
export function useMarks(order: readonly string[]): Marks {
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set())
  const anchor = useRef<string | null>(null)
  const latest = useRef(order)
  latest.current = order
  const toggle = useCallback((id: string) => {
    anchor.current = id
    setMarked((before) => {
      const next = new Set(before)
      if (!next.delete(id)) next.add(id)
      return next
    })
  }, [])
  const extend = useCallback(
    (id: string) => {
      const from = anchor.current === null ? -1 : latest.current.indexOf(anchor.current)
      const to = latest.current.indexOf(id)
      if (from < 0 || to < 0) return toggle(id)
      const between = latest.current.slice(Math.min(from, to), Math.max(from, to) + 1)
      setMarked((before) => new Set([...before, ...between]))
    },
    [toggle],
  )
  const clear = useCallback(() => {
    anchor.current = null
    setMarked(new Set())
  }, [])
  const ids = useMemo(() => order.filter((id) => marked.has(id)), [order, marked])
  return { ids, has: (id) => marked.has(id), toggle, extend, clear }
}
