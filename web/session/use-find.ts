import { useCallback, useEffect, useState } from 'react'

/**
 * Opens the session's own find on Ctrl/Cmd-F: the browser's finds only rendered rows. A second Ctrl/Cmd-F in the field
 * opens the browser's.
 */
export function useFind(): { readonly open: boolean; readonly begin: () => void; readonly end: () => void } {
  const [open, setOpen] = useState(false)
  const begin = useCallback(() => setOpen(true), [])
  const end = useCallback(() => setOpen(false), [])
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'f' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
      const target = event.target as HTMLElement | null
      if (event.defaultPrevented || target?.closest('.find, [role="dialog"]')) return
      event.preventDefault()
      begin()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [begin])
  return { open, begin, end }
}
