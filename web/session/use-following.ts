import type { Virtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useLayoutEffect, useRef } from 'react'

type List = Virtualizer<HTMLDivElement, Element>

/** How far from the newest row one still is at the end. Pixels. */
export const NEAR_END = 64

/**
 * Keeps the newest row in sight for whoever is at the end, until they scroll up. It is a state and no look at where the
 * window stands: rows may come faster than the scroll to them, as after a tab has slept. Nobody follows while the page
 * is `seeking` the row that the address names. `letGo` may take rows away above those who follow.
 */
export function useFollowing(
  list: List,
  box: React.RefObject<HTMLDivElement | null>,
  { rows, seeking, letGo }: { readonly rows: unknown; readonly seeking: boolean; readonly letGo: () => void },
): void {
  const follows = useRef(!seeking)
  useEffect(() => {
    const element = box.current
    if (!element) return
    if (seeking) follows.current = false
    let last = { offset: element.scrollTop, size: list.getTotalSize() }
    const heard = () => {
      const offset = element.scrollTop
      const size = list.getTotalSize()
      // What grows below moves nobody up, and what gets smaller leaves one at the end.
      const isUp = offset < last.offset && size >= last.size
      follows.current = !seeking && (isAtEnd(list, offset) || (follows.current && !isUp))
      last = { offset, size }
      if (follows.current) letGo()
    }
    element.addEventListener('scroll', heard, { passive: true })
    return () => element.removeEventListener('scroll', heard)
  }, [list, box, seeking, letGo])
  const keep = useCallback(() => {
    if (follows.current && !isAtEnd(list)) list.scrollToEnd()
  }, [list])
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever rows come or change, whatever they are
  useLayoutEffect(keep, [rows])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same
  useEffect(() => {
    if (follows.current) letGo()
  }, [rows])
  useWindow(box, keep)
}

/** By what the list knows: asking the document would lay it out in the middle of each frame. */
export function isAtEnd(
  list: Pick<List, 'scrollOffset' | 'scrollRect' | 'getTotalSize'>,
  offset = list.scrollOffset ?? 0,
): boolean {
  return offset + (list.scrollRect?.height ?? 0) >= list.getTotalSize() - NEAR_END
}

/** The window gets smaller when the composer grows or a keyboard comes up, and a tab that slept has missed its frames. */
function useWindow(box: React.RefObject<HTMLDivElement | null>, keep: () => void): void {
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => {
      // What stands below the transcript lines up with it, whatever room a scroll bar takes here.
      const gutter = (element.offsetWidth - element.clientWidth) / 2
      element.closest<HTMLElement>('.session-main')?.style.setProperty('--gutter', `${gutter}px`)
      keep()
    })
    observer.observe(element)
    document.addEventListener('visibilitychange', keep)
    return () => {
      observer.disconnect()
      document.removeEventListener('visibilitychange', keep)
    }
  }, [box, keep])
}
