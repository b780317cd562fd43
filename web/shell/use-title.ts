import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { usePageState } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'

/** The tab says how many questions wait, and which session is open. */
export function useTitle(questions: number): void {
  const { session } = useParams({ strict: false })
  const name = usePageState((state) => (session ? state.workspace?.sessions[session]?.name : undefined))
  useEffect(() => {
    document.title = texts.shell.title(questions, name)
  }, [questions, name])
}
