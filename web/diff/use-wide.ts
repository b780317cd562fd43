import { type RefCallback, useCallback, useState } from 'react'

/** The least width for two columns of code. px. */
const WIDE = 620

/** Returns whether the element has room for two columns. */
export function useWide(): readonly [RefCallback<HTMLElement>, boolean] {
  const [wide, setWide] = useState(false)
  const look = useCallback((element: HTMLElement | null) => {
    if (!element) return
    const observer = new ResizeObserver(([entry]) => setWide((entry?.contentRect.width ?? 0) >= WIDE))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [look, wide]
}
