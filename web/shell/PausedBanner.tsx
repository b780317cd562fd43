import { PauseCircle } from 'lucide-react'
import { overlay } from '../data/overlay.ts'
import { usePaused } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'

/** The banner of a paused data folder: the reason, the work that waits, and the way to let it go on. */
export function PausedBanner() {
  const paused = usePaused()
  if (!paused) return null
  const { prompts, runs, questions } = paused.waiting
  return (
    <div className="banner" role="status">
      <PauseCircle className="glyph" aria-hidden />
      <p className="grow">
        <b>{texts.shell.paused.title}</b> <span className="reason">{paused.text}</span>{' '}
        <span className="dim">{texts.shell.paused.waiting(prompts, runs, questions)}</span>
      </p>
      {paused.other !== null && (
        <Button label={texts.shell.paused.decide} onClick={() => overlay.set({ kind: 'unpause' })} />
      )}
    </div>
  )
}
