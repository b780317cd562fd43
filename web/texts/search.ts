import type { SearchHit } from '../../src/model/search.ts'
import { count } from './format.ts'

export const search = {
  title: 'Search',
  field: 'Search transcripts',
  placeholder: 'Search transcripts…',
  everywhere: 'Search all sessions',
  onlyIn: (session: string | undefined) => `only in ${session ?? 'one session'}`,
  searching: 'Searching…',
  found: (hits: number, more: boolean) => `${more ? 'More than ' : ''}${count(hits, 'result')}`,
  failed: 'The search failed.',
  hits: 'Results',
  more: 'Show more',
  kinds: {
    tool: 'tool call',
    thought: 'thought',
    plan: 'plan',
    question: 'question',
    notice: 'notice',
  } satisfies Partial<Record<SearchHit['kind'], string>>,
  begin: {
    title: 'Search all transcripts',
    text: 'Covers messages, thoughts, commands and their output, plans and questions of all sessions. All words must match; put a phrase in “quotes”.',
  },
  empty: {
    title: 'No results',
    text: 'Try fewer words. Output of the last second may not be searchable yet.',
  },
} as const
