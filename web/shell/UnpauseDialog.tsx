import { useQueryClient } from '@tanstack/react-query'
import { SERVER, usePaused } from '../data/queries.ts'
import { say } from '../data/toasts.ts'
import { usePage, useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import { Dialog } from '../ui/Dialog.tsx'
import { Problem } from '../ui/Problem.tsx'

/** Shows what begins when a paused data folder goes on, and the danger of two that go on. */
export function UnpauseDialog({ onClose }: { onClose: () => void }) {
  const page = usePage()
  const queries = useQueryClient()
  const paused = usePaused()
  const submit = useSubmit(async () => {
    const { replaced } = await page.call('server.unpause', { confirm: true })
    onClose()
    say(texts.shell.paused.done(replaced))
    await queries.invalidateQueries({ queryKey: [SERVER] })
  })
  if (!paused) return null
  const { prompts, runs, questions } = paused.waiting
  return (
    <Dialog title={texts.shell.paused.question} onClose={onClose}>
      <div className="stack">
        <p>{paused.text}</p>
        <p>{texts.shell.paused.begins(prompts, runs, questions)}</p>
        <p>
          {texts.shell.paused.danger} {paused.other !== null && <code>{paused.other}</code>}
        </p>
        <p className="dim">{texts.shell.paused.orLook}</p>
      </div>
      <Problem error={submit.problem} />
      <div className="actions">
        <Button label={texts.shell.paused.stay} onClick={onClose} />
        <Button
          label={texts.shell.paused.act}
          className="primary"
          disabled={submit.pending}
          onClick={() => submit.run()}
        />
      </div>
    </Dialog>
  )
}
