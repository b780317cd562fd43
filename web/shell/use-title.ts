import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { usePageState } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'

/** Shows the number of open questions and the open session in the tab's title. */
export function useTitle(questions: number): void {
  const { session } = useParams({ strict: false })
  const name = usePageState((state) => (session ? state.workspace?.sessions[session]?.name : undefined))
  useEffect(() => {
    document.title = texts.shell.title(questions, name)
  }, [questions, name])
}
