import type { SearchHit } from '../../src/model/search.ts'
import { count } from '../ui/format.ts'

export const search = {
  title: 'Search',
  field: 'Search what was said and done',
  placeholder: 'Search what was said and done ...',
  everywhere: 'Search in all sessions',
  onlyIn: (session: string | undefined) => `only in ${session ?? 'one session'}`,
  searching: 'Searching ...',
  found: (hits: number, more: boolean) => `${more ? 'More than ' : ''}${count(hits, 'hit')}`,
  failed: 'The search failed.',
  hits: 'Hits',
  more: 'More',
  kinds: {
    tool: 'tool call',
    thought: 'thought',
    plan: 'plan',
    question: 'question',
    notice: 'notice',
  } satisfies Partial<Record<SearchHit['kind'], string>>,
  begin: {
    title: 'Find what was said',
    text: 'Messages, thoughts, commands and their output, plans and questions of all sessions. All words have to be there; “in quotes” they stand one after the other.',
  },
  empty: {
    title: 'Nothing has these words',
    text: 'Try fewer of them. What a run did within the last second may not be found yet.',
  },
} as const
