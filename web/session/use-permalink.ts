import { useLocation } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import type { SessionData } from '../data/session-data.ts'
import { usePage } from '../data/use-page.ts'
import type { Row } from './rows.ts'

interface Scroller {
  scrollToIndex: (index: number, options?: { align?: 'start' | 'center' }) => void
}

/** Goes to the item of the address (`#n`), loading older ones until it is there. Returns the key of its row. */
export function usePermalink(data: SessionData, rows: readonly Row[], virtual: Scroller): string | null {
  const { hash } = useLocation()
  const page = usePage()
  const done = useRef('')
  const n = /^\d+$/.test(hash) ? Number(hash) : null
  useEffect(() => {
    if (n === null || done.current === hash) return
    const at = rows.findIndex((row) => row.kind === 'item' && row.item.n >= n)
    const oldest = data.items[0]?.n ?? 0
    if (oldest > n && data.more) {
      // A failure shows at the top of the list, where more can be asked for.
      void page.loadOlder().catch(() => undefined)
      return
    }
    done.current = hash
    if (at >= 0) virtual.scrollToIndex(at, { align: 'center' })
  }, [n, hash, rows, data, page, virtual])
  return n === null ? null : String(n)
}
