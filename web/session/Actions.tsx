import { useNavigate } from '@tanstack/react-router'
import { GitFork, Link2 } from 'lucide-react'
import { usePage, useSubmit } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { IconButton } from '../ui/Button.tsx'
import { CopyButton } from '../ui/CopyButton.tsx'
import { Problem } from '../ui/Problem.tsx'
import { useSession } from './session-context.ts'

interface Props {
  /** The number of the item, for its address. */
  readonly n: number
  /** A fork contains everything up to here. */
  readonly seq: number
  readonly text: string
}

/** The acts on an item: copy text, copy link, fork. */
export function Actions({ n, seq, text }: Props) {
  const { session } = useSession()
  const fork = useFork()
  const link = (): void => {
    const address = `${location.origin}/s/${session}#${n}`
    history.replaceState(history.state, '', `#${n}`)
    void navigator.clipboard?.writeText(address)
  }
  return (
    <div className="acts">
      <CopyButton text={() => text} label={texts.transcript.acts.copyText} />
      <IconButton icon={Link2} label={texts.transcript.acts.copyLink} className="small" onClick={link} />
      <IconButton
        icon={GitFork}
        label={texts.transcript.acts.fork}
        className="small"
        onClick={() => fork.run(seq)}
        disabled={fork.pending}
      />
      <Problem error={fork.problem} />
    </div>
  )
}

export function useFork() {
  const page = usePage()
  const navigate = useNavigate()
  const { session, workspace } = useSession()
  return useSubmit(async (seq: number) => {
    const made = await page.call('sessions.fork', { workspace, id: session, seq })
    await navigate({ to: '/s/$session', params: { session: made.id } })
  })
}
