import { memo } from 'react'
import type { ContentBlock } from '../../../src/model/events/events.ts'
import type { RunItem } from '../../../src/model/events/items.ts'
import { agentName, useAgents } from '../../data/queries.ts'
import { clockTime, fullTime } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { useFold } from '../../ui/Fold.tsx'
import { Actions } from '../Actions.tsx'
import { Blocks, textOf } from './Blocks.tsx'
import './run-head.css'

const LONG = 1_200

/** The prompt that started a run, with its author and its agent. */
export const RunHead = memo(function RunHead({ item }: { item: RunItem }) {
  const agent = agentName(useAgents().data?.agents, item.agent)
  return (
    <article className="run-head act-box" aria-label={texts.transcript.run.title(agent)}>
      <header className="run-meta">
        <b className="cut">{item.by ? texts.ui.person(item.by.name) : texts.transcript.run.somebody}</b>
        <span className="faint">{texts.transcript.run.to(agent)}</span>
        <time className="faint" dateTime={new Date(item.at).toISOString()} title={fullTime(item.at)}>
          {clockTime(item.at)}
        </time>
        {item.by && item.by.face !== 'web' && <span className="faint">{texts.transcript.run.by(item.by.face)}</span>}
      </header>
      <Prompt id={`${item.prompt}`} content={item.content} />
      <Actions n={item.n} seq={item.seq} text={textOf(item.content)} />
    </article>
  )
})

function Prompt({ id, content }: { id: string; content: readonly ContentBlock[] }) {
  const text = textOf(content)
  const [open, toggle] = useFold(`prompt.${id}`, text.length <= LONG)
  return (
    <>
      <p className="prompt-text" dir="auto">
        {open ? text : `${text.slice(0, LONG)}…`}
      </p>
      {text.length > LONG && (
        <Button className="quiet" onClick={toggle}>
          {open ? texts.transcript.run.showLess : texts.transcript.run.showAll}
        </Button>
      )}
      <Blocks blocks={content.filter(({ type }) => type !== 'text')} />
    </>
  )
}
