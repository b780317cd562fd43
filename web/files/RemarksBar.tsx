import { MessageSquare, PenLine, Send, Trash2 } from 'lucide-react'
import { useRef } from 'react'
import { command } from '../data/commands.ts'
import { leaveForPrompt } from '../data/panel.ts'
import { newRequestKey } from '../data/request-key.ts'
import { say } from '../data/toasts.ts'
import { usePage, useSubmit, useWorkspaceId } from '../data/use-page.ts'
import { dropRemarks, promptOf, remarksOf } from '../diff/remarks.ts'
import { texts } from '../texts/texts.ts'
import { Button, IconButton } from '../ui/Button.tsx'
import { useCell } from '../ui/cell.ts'
import { Problem } from '../ui/Problem.tsx'

/** The comments on lines, with the acts that send them to the agent. */
export function RemarksBar({ session }: { session: string }) {
  const remarks = useCell(remarksOf(session))
  const page = usePage()
  const workspace = useWorkspaceId()
  const attempt = useRef({ of: '', key: '' })
  const labels = texts.files.remark
  const text = promptOf(remarks, labels.gone)
  const send = useSubmit(async () => {
    // A retry after a lost response must not be a second prompt.
    if (attempt.current.of !== text) attempt.current = { of: text, key: newRequestKey() }
    const content = [{ type: 'text' as const, text }]
    await page.call('sessions.prompt', { workspace, id: session, content, key: attempt.current.key })
    dropRemarks(session, remarks)
    say(labels.sent)
  })
  const write = (): void => {
    leaveForPrompt()
    command('write')?.(text)
    dropRemarks(session, remarks)
  }
  if (remarks.length === 0) return null
  return (
    <section className="remarks-bar" aria-label={labels.title}>
      <Problem error={send.problem} what={labels.notSent} />
      <div className="row wrap">
        <MessageSquare className="glyph" aria-hidden />
        <b className="grow">{labels.count(remarks.length)}</b>
        <IconButton icon={Trash2} label={labels.dropAll} onClick={() => dropRemarks(session, remarks)} />
        {command('write') && <Button icon={PenLine} label={labels.write} onClick={write} />}
        <Button icon={Send} className="primary" disabled={send.pending} onClick={() => send.run()}>
          {send.pending ? labels.sending : labels.send}
        </Button>
      </div>
    </section>
  )
}
