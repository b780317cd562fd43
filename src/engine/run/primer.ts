import type { Item } from '../../model/events/items.ts'
import { recordText } from '../../model/events/own-words.ts'
import type { AgentId, SessionId } from '../../model/ids.ts'
import type { Store } from '../../store/store.ts'
import { readItems } from '../folding.ts'

const ITEMS = 200
const CHARS = 24_000

/**
 * Returns the conversation before item `before` (null: the whole) as text for an agent that does not remember it; null
 * for an empty one. Only the newest part that fits, with a remark where earlier parts are missing.
 */
export async function transcriptText(store: Store, session: SessionId, before: number | null): Promise<string | null> {
  const { items, more } = await readItems(store, session, before, ITEMS)
  return textOf(items, more, 'This is the record of the conversation so far, for you to go on from.')
}

/**
 * Returns the messages of other agents and people since an agent's last run, as text for that agent, which remembers
 * the rest; null where there are none.
 */
export async function missedText(
  store: Store,
  session: SessionId,
  before: number,
  agent: AgentId,
): Promise<string | null> {
  const { items, more } = await readItems(store, session, before, ITEMS)
  const own = items.findLast((item) => item.kind === 'run' && item.agent === agent)
  const missed = own ? items.filter((item) => item.n > own.n && item.run !== own.run) : items
  return textOf(
    missed,
    more && !own,
    'This is the record of what happened in this session since you last worked in it.',
  )
}

function textOf(items: readonly Item[], more: boolean, heading: string): string | null {
  const lines = items.flatMap(lineOf)
  if (lines.length === 0) return null
  const kept: string[] = []
  let length = 0
  for (const line of lines.toReversed()) {
    length += line.length
    if (length > CHARS) break
    kept.unshift(line)
  }
  const cut = more || kept.length < lines.length ? '(Earlier parts are left out.)\n' : ''
  return recordText(heading, `${cut}${kept.join('\n')}`)
}

function lineOf(item: Item): string[] {
  switch (item.kind) {
    case 'run':
      return [
        `Person: ${item.content.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join(' ')}`,
      ]
    case 'message':
      return [`${item.role === 'user' ? 'Person' : item.afterword ? 'Agent, after its turn' : 'Agent'}: ${item.text}`]
    case 'tool':
      return [`[${item.toolKind}: ${item.title} - ${item.status}]`]
    case 'question':
      return item.answer ? [`[asked: ${item.question.title} - answered: ${answerWords(item)}]`] : []
    default:
      return []
  }
}

function answerWords(item: Item & { kind: 'question' }): string {
  const { answer, question } = item
  if (answer === null || 'declined' in answer) return 'no answer'
  if ('values' in answer) return JSON.stringify(answer.values)
  return question.options.find((option) => option.id === answer.option)?.label ?? answer.option
}
