import { useRef, useState } from 'react'
import type { BusyPolicy } from '../../../src/model/events/events.ts'
import { useOffer } from '../../data/commands.ts'
import { newRequestKey } from '../../data/request-key.ts'
import { usePage, useSubmit } from '../../data/use-page.ts'
import { useSession } from '../session-context.ts'
import { type Picture, useDraft } from './use-draft.ts'

export type Busy = Exclude<BusyPolicy, 'reject'>
export type Prompt = ReturnType<typeof usePrompt>

/** The prompt that is being written: its text, pictures and agent, and the request that sends it. */
export function usePrompt({ running, lastAgent }: { running: boolean; lastAgent: string }) {
  const page = usePage()
  const { session, workspace } = useSession()
  const draft = useDraft(session)
  const [pictures, setPictures] = useState<readonly Picture[]>([])
  const [chosen, setAgent] = useState<string | null>(null)
  const [busy, setBusy] = useState<Busy>('queue')
  const agent = chosen ?? lastAgent
  const attempt = useRef({ of: '', key: '' })
  useOffer('agent', setAgent)
  const send = useSubmit(async () => {
    const text = draft.text
    const content = [
      ...(text.trim() ? [{ type: 'text' as const, text }] : []),
      ...pictures.map((picture) => ({ type: 'image' as const, ...picture })),
    ]
    // The same prompt keeps its key: a retry after a lost response must not be a second prompt.
    const of = JSON.stringify([content, agent, busy])
    if (attempt.current.of !== of) attempt.current = { of, key: newRequestKey() }
    const { key } = attempt.current
    await page.call('sessions.prompt', { workspace, id: session, content, agent, busy: running ? busy : 'queue', key })
    attempt.current = { of: '', key: '' }
    draft.clear(text)
    setPictures([])
    setAgent(null)
  })
  const empty = !draft.text.trim() && pictures.length === 0
  return { draft, pictures, setPictures, agent, setAgent, busy, setBusy, send, empty }
}
