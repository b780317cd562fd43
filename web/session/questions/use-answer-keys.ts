import { useEffect, useRef } from 'react'
import type { SessionData } from '../../data/session-data.ts'
import { answerByKey } from '../../ui/keys.ts'

/** Keys 1-9 choose an option of the oldest open question, unless the focus is in a field. */
export function useAnswerKeys(data: SessionData): void {
  const open = useRef(data.view.open)
  useEffect(() => {
    open.current = data.view.open
  }, [data.view.open])
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const oldest = Object.entries(open.current).sort(([, a], [, b]) => a.n - b.n)[0]
      if (oldest) answerByKey(event, oldest[0], oldest[1].question)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}
