import { CornerDownLeft } from 'lucide-react'
import { memo } from 'react'
import type { SessionView } from '../../../src/model/events/view.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { onSend } from '../../ui/form.ts'
import { Problem } from '../../ui/Problem.tsx'
import { AgentOptions } from './AgentOptions.tsx'
import { BusyChoice } from './BusyChoice.tsx'
import { PromptField } from './PromptField.tsx'
import { usePrompt } from './use-prompt.ts'
import './composer.css'

/** The parts of the session's view that the composer needs. A stream of text changes none of them. */
interface Props extends Pick<SessionView, 'agents' | 'state'> {
  readonly running: boolean
  /** The agent of the last prompt. */
  readonly agent: string
}

/** The form for the next prompt. The text stays until the server has confirmed it. */
export const Composer = memo(function Composer({ agents, state, running, agent: lastAgent }: Props) {
  const prompt = usePrompt({ running, lastAgent })
  const { agent, setAgent, busy, setBusy, send, empty } = prompt
  if (state !== 'open') return <p className="composer-closed">{texts.composer.closed}</p>
  return (
    <form className="composer" aria-label={texts.composer.title} onSubmit={onSend(() => empty || send.run())}>
      <Problem error={send.problem} what={texts.composer.notSent} />
      <div className="composer-box">
        <PromptField prompt={prompt} agents={agents} />
        <div className="composer-foot">
          <div className="composer-options">
            <AgentOptions known={agents[agent]} agent={agent} onAgent={setAgent} />
            <span className="grow" />
            {running && <BusyChoice agent={agent} value={busy} onChoose={setBusy} />}
          </div>
          <Button icon={CornerDownLeft} type="submit" className="primary" disabled={empty || send.pending}>
            <span className="send-word">{send.pending ? texts.composer.sending : texts.ui.send}</span>
          </Button>
        </div>
      </div>
    </form>
  )
})
