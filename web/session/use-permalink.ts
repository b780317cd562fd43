import { useLocation } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { SessionData } from '../data/session-data.ts'
import { usePage } from '../data/use-page.ts'
import type { TranscriptRowData } from './transcript/rows.ts'

/**
 * Scrolls to the item of the address (`#n`), and loads older pages until it is there. Returns the key of its row, and
 * whether the scroll is still pending.
 */
export function usePermalink(
  data: SessionData,
  rows: readonly TranscriptRowData[],
  virtual: { scrollToIndex: (index: number, options?: { align?: 'start' | 'center' }) => void },
): { readonly target: string | null; readonly seeking: boolean } {
  const { hash } = useLocation()
  const page = usePage()
  const [done, setDone] = useState('')
  const n = /^\d+$/.test(hash) ? Number(hash) : null
  useEffect(() => {
    if (n === null || done === hash) return
    const at = rows.findIndex((row) => row.kind === 'item' && row.item.n >= n)
    const oldest = data.items[0]?.n ?? 0
    if (oldest > n && data.more) {
      // A failure shows at the top of the list, with a button that retries.
      void page.loadOlder().catch(() => undefined)
      return
    }
    setDone(hash)
    if (at >= 0) virtual.scrollToIndex(at, { align: 'center' })
  }, [n, hash, done, rows, data, page, virtual])
  return { target: n === null ? null : String(n), seeking: n !== null && done !== hash }
}
