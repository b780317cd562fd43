import type { Virtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useLayoutEffect, useRef } from 'react'

type List = Virtualizer<HTMLDivElement, Element>

/** Distance to the newest row that still counts as the end. px. */
export const NEAR_END = 64

/**
 * Keeps the newest row visible for a reader at the end, until the reader scrolls up. Following is a state, not a check
 * of the scroll position: rows may arrive faster than the scroll to them, such as after a tab has slept. Nothing
 * follows while the page is `seeking` the row of the address. `releaseOlder` may remove rows above a reader who
 * follows.
 */
export function useFollowing(
  list: List,
  box: React.RefObject<HTMLDivElement | null>,
  {
    rows,
    seeking,
    releaseOlder,
  }: { readonly rows: unknown; readonly seeking: boolean; readonly releaseOlder: () => void },
): void {
  const follows = useRef(!seeking)
  useEffect(() => {
    const element = box.current
    if (!element) return
    if (seeking) follows.current = false
    let last = { offset: element.scrollTop, size: list.getTotalSize() }
    const onScroll = () => {
      const offset = element.scrollTop
      const size = list.getTotalSize()
      // Growth below moves no reader up, and a list that shrinks keeps its reader at the end.
      const isUp = offset < last.offset && size >= last.size
      follows.current = !seeking && (isAtEnd(list, offset) || (follows.current && !isUp))
      last = { offset, size }
      if (follows.current) releaseOlder()
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    return () => element.removeEventListener('scroll', onScroll)
  }, [list, box, seeking, releaseOlder])
  const keep = useCallback(() => {
    if (follows.current && !isAtEnd(list)) list.scrollToEnd()
  }, [list])
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever rows come or change, whatever they are
  useLayoutEffect(keep, [rows])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same
  useEffect(() => {
    if (follows.current) releaseOlder()
  }, [rows])
  useWindow(box, keep)
}

/** Uses the list's own numbers: a question to the document would force a layout in each frame. */
export function isAtEnd(
  list: Pick<List, 'scrollOffset' | 'scrollRect' | 'getTotalSize'>,
  offset = list.scrollOffset ?? 0,
): boolean {
  return offset + (list.scrollRect?.height ?? 0) >= list.getTotalSize() - NEAR_END
}

/** Keeps the end visible when the window shrinks (composer, on-screen keyboard) or a slept tab missed its frames. */
function useWindow(box: React.RefObject<HTMLDivElement | null>, keep: () => void): void {
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver(() => {
      // The parts below the transcript align with it, whatever space its scroll bar takes.
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
