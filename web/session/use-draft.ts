import { useEffect, useRef, useState } from 'react'
import { recall, remember } from '../data/memory.ts'

export interface Picture {
  readonly data: string
  readonly mimeType: string
}

/** The text of the composer, kept per session in this browser, so that a reload or a crash costs nothing. */
export function useDraft(session: string) {
  const key = `draft.${session}`
  const [text, setText] = useState(() => recall(key) ?? '')
  const latest = useRef(text)
  const set = (next: string): void => {
    latest.current = next
    setText(next)
    remember(key, next || null)
  }
  // The same session may be open in two tabs: what was sent in one must not wait in the other.
  useEffect(() => {
    const changed = (event: StorageEvent): void => {
      if (event.key !== `carrel.${key}` || document.hasFocus()) return
      latest.current = event.newValue ?? ''
      setText(latest.current)
    }
    addEventListener('storage', changed)
    return () => removeEventListener('storage', changed)
  }, [key])
  /** Takes away what was sent, unless more was typed meanwhile. */
  const clear = (sent: string): void => {
    if (latest.current === sent) set('')
  }
  return { text, set, clear }
}

/** A key for a request: the same key again is the same request. Works without a secure origin. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
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
