import { MessageSquare, PenLine, Send, Trash2 } from 'lucide-react'
import { useRef } from 'react'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { dropRemarks, promptOf, remarksOf } from '../diff/remarks.ts'
import { leaveForPrompt } from '../session/panel.ts'
import { newKey } from '../session/use-draft.ts'
import { command } from '../shell/commands.ts'
import { say } from '../shell/toasts.ts'
import { texts } from '../texts/texts.ts'
import { useCell } from '../ui/cell.ts'
import { Problem } from '../ui/Problem.tsx'

/** The comments that were made on lines, on their way to the agent. */
export function RemarksBar({ session }: { session: string }) {
  const remarks = useCell(remarksOf(session))
  const page = usePage()
  const workspace = useWorkspaceId()
  const attempt = useRef({ of: '', key: '' })
  const words = texts.files.remark
  const text = promptOf(remarks, words.gone)
  const send = useSubmit(async () => {
    // Sent again after a lost answer it must not be a second prompt.
    if (attempt.current.of !== text) attempt.current = { of: text, key: newKey() }
    const content = [{ type: 'text' as const, text }]
    await page.call('sessions.prompt', { workspace, id: session, content, key: attempt.current.key })
    dropRemarks(session, remarks)
    say(words.sent)
  })
  const write = (): void => {
    leaveForPrompt()
    command('write')?.(text)
    dropRemarks(session, remarks)
  }
  if (remarks.length === 0) return null
  return (
    <section className="remarks-bar" aria-label={words.title}>
      <Problem error={send.problem} what={words.notSent} />
      <div className="row wrap">
        <MessageSquare className="glyph" aria-hidden />
        <b className="grow">{words.count(remarks.length)}</b>
        <button
          type="button"
          className="btn quiet icon"
          aria-label={words.dropAll}
          title={words.dropAll}
          onClick={() => dropRemarks(session, remarks)}
        >
          <Trash2 aria-hidden />
        </button>
        {command('write') && (
          <button type="button" className="btn" onClick={write}>
            <PenLine aria-hidden />
            {words.write}
          </button>
        )}
        <button type="button" className="btn primary" disabled={send.pending} onClick={() => send.run()}>
          <Send aria-hidden />
          {send.pending ? words.sending : words.send}
        </button>
      </div>
    </section>
  )
}
