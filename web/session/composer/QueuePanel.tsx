import { Pencil, X } from 'lucide-react'
import { useState } from 'react'
import type { QueuedPrompt, SessionView } from '../../../src/model/events/view.ts'
import { agentName, useAgents } from '../../data/queries.ts'
import { usePage, useSubmit } from '../../data/use-page.ts'
import { texts } from '../../texts/texts.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { onSend } from '../../ui/form.ts'
import { Problem } from '../../ui/Problem.tsx'
import { useSession } from '../session-context.ts'
import { Blocks, textOf } from '../transcript/Blocks.tsx'
import './queue.css'

/** Queued prompts in the order in which they run. Each can be edited or removed until its run starts. */
export function QueuePanel({ view }: { view: SessionView }) {
  const waiting = [...view.steering, ...view.queue]
  if (waiting.length === 0) return null
  return (
    <section className="queue scroll" aria-label={texts.composer.queue.title}>
      <h2 className="faint">{texts.composer.queue.waiting(waiting.length)}</h2>
      <ol>
        {waiting.map((queued) => (
          <Waiting key={queued.prompt} queued={queued} steering={view.steering.includes(queued)} agent={view.agent} />
        ))}
      </ol>
    </section>
  )
}

function Waiting({ queued, steering, agent }: { queued: QueuedPrompt; steering: boolean; agent: string | null }) {
  const page = usePage()
  const agents = useAgents().data?.agents
  const { session, workspace } = useSession()
  const [editing, setEditing] = useState(false)
  const target = { workspace, id: session, prompt: queued.prompt }
  const withdraw = useSubmit(() => page.call('prompts.withdraw', target))
  const text = textOf(queued.content)
  const others = queued.content.filter(({ type }) => type !== 'text')
  if (editing) {
    const save = (next: string) => {
      const content = [{ type: 'text' as const, text: next }, ...others]
      return page.call('prompts.edit', { ...target, content })
    }
    return (
      <li>
        <Edit text={text} save={save} onClose={() => setEditing(false)} />
      </li>
    )
  }
  return (
    <li>
      <div className="queued">
        <p className="grow queued-text">{text}</p>
        {steering && <span className="faint">{texts.composer.queue.joins}</span>}
        {queued.agent !== agent && (
          <span className="faint">{texts.composer.queue.to(agentName(agents, queued.agent))}</span>
        )}
        <IconButton
          icon={Pencil}
          label={texts.composer.queue.editOne(text.slice(0, 60))}
          className="small"
          title={texts.composer.queue.edit}
          onClick={() => setEditing(true)}
        />
        <IconButton
          icon={X}
          label={texts.composer.queue.removeOne(text.slice(0, 60))}
          className="small"
          title={texts.composer.queue.remove}
          disabled={withdraw.pending}
          onClick={() => withdraw.run()}
        />
      </div>
      {queued.deferred && <p className="faint">{texts.composer.queue.deferred(queued.deferred)}</p>}
      <Blocks blocks={others} />
      <Problem error={withdraw.problem} />
    </li>
  )
}

interface EditProps {
  readonly text: string
  readonly save: (text: string) => Promise<unknown>
  readonly onClose: () => void
}

function Edit({ text, save, onClose }: EditProps) {
  const [next, setNext] = useState(text)
  const submit = useSubmit(async () => {
    await save(next)
    onClose()
  })
  return (
    <form className="stack" onSubmit={onSend(() => next.trim() && submit.run())}>
      <textarea
        className="field"
        aria-label={texts.composer.queue.field}
        rows={Math.min(8, next.split('\n').length + 1)}
        value={next}
        onChange={(event) => setNext(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && onClose()}
      />
      <Problem error={submit.problem} />
      <div className="actions">
        <Button label={texts.ui.cancel} onClick={onClose} />
        <Button label={texts.ui.save} className="primary" type="submit" disabled={submit.pending || !next.trim()} />
      </div>
    </form>
  )
}
