import type { SearchHit } from '../../src/model/search.ts'
import { agentName, useAgents } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import './search.css'

const KINDS: Partial<Record<SearchHit['kind'], string>> = texts.search.kinds

const shortTime = (at: number): string => new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })

/** A search result: session, author, time, and the matching text with its matches marked. */
export function Hit({ hit }: { hit: SearchHit }) {
  const agents = useAgents().data?.agents
  const who = hit.agent && agentName(agents, hit.agent)
  return (
    <span className="hit">
      <span className="hit-head">
        <b className="cut">{hit.sessionName}</b>
        <span className="faint cut">{[who, KINDS[hit.kind]].filter(Boolean).join(' · ')}</span>
        <span className="grow" />
        <time className="faint" dateTime={new Date(hit.at).toISOString()}>
          {shortTime(hit.at)}
        </time>
      </span>
      <span className="hit-text" dir="auto">
        <Marked text={hit.snippet} marks={hit.marks} />
      </span>
    </span>
  )
}

function Marked({ text, marks }: { text: string; marks: SearchHit['marks'] }) {
  let at = 0
  return (
    <>
      {marks.map(([from, to]) => {
        const before = text.slice(at, from)
        at = to
        return (
          <span key={from}>
            {before}
            <mark>{text.slice(from, to)}</mark>
          </span>
        )
      })}
      {text.slice(marks.at(-1)?.[1] ?? 0)}
    </>
  )
}
