import { useEffect, useRef, useState } from 'react'
import { recall, remember } from '../../data/memory.ts'

export interface Picture {
  readonly data: string
  readonly mimeType: string
}

/** The draft of the composer. This browser stores it for each session, so a reload or a crash loses nothing. */
export function useDraft(session: string) {
  const key = `draft.${session}`
  const [text, setText] = useState(() => recall(key) ?? '')
  const latest = useRef(text)
  const set = (next: string): void => {
    latest.current = next
    setText(next)
    remember(key, next || null)
  }
  // Follows another tab with the same session: a prompt sent there must not stay here as a draft.
  useEffect(() => {
    const changed = (event: StorageEvent): void => {
      if (event.key !== `carrel.${key}` || document.hasFocus()) return
      latest.current = event.newValue ?? ''
      setText(latest.current)
    }
    addEventListener('storage', changed)
    return () => removeEventListener('storage', changed)
  }, [key])
  /** Clears the draft after a send, unless it has changed since. */
  const clear = (sent: string): void => {
    if (latest.current === sent) set('')
  }
  return { text, set, clear }
}

export async function readPicture(file: File): Promise<Picture> {
  const address = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
  return { data: address.slice(address.indexOf(',') + 1), mimeType: file.type }
}
