import { runWord } from '../../src/model/state-words.ts'
import { count } from './format.ts'

/** The view of a session around its transcript. */
export const session = {
  loading: 'Loading the session…',
  gone: { title: 'Session not found', text: 'The session was deleted, or the address is wrong.' },
  failed: 'The session could not be loaded.',
  header: {
    tabs: (project: string | undefined) => `Sessions of ${project ?? 'this project'}`,
    newSession: 'New session in this project',
    blank: 'Blank Space',
    missing: 'folder is missing',
    branch: (branch: string) => `Branch ${branch}`,
  },
  find: {
    title: 'Find in this session',
    older: 'Older',
    newer: 'Newer',
    close: 'Close find',
    /** `here`: position of the current result from 1 on, 0 before the first step. */
    found: (here: number, found: number, more: boolean) =>
      found === 0 ? 'no results' : `${here === 0 ? '' : `${here} of `}${found}${more ? '+' : ''}`,
  },
  status: {
    stopping: (agent: string) => `Stopping ${agent}…`,
    waiting: (agent: string, questions: number) =>
      questions === 1 ? `${agent} needs your answer` : `${agent} needs ${count(questions, 'answer')} from you`,
    starting: (agent: string) => `Starting ${agent}…`,
    queued: (before: number) => `Queued for a browser: ${before === 0 ? 'next' : `${before} ahead`}`,
    parked: (agent: string) => `${agent} is paused until you answer`,
    working: (agent: string) => `${agent} is working`,
    background: (agent: string, work: readonly string[]) => `${agent} goes on in the background: ${work.join(', ')}`,
    stop: 'Stop',
    context: (used: string, size: string) => `${used} of ${size} tokens of context used`,
    cost: (cost: string) => `, ${cost} so far`,
  },
  tokens: (tokens: string) => `${tokens} tokens`,
  runs: {
    title: 'Runs',
    empty: 'No runs yet. Each prompt starts a run.',
    word: runWord,
    took: (state: string, time: string) => `${state} in ${time}`,
    place: (path: string) => `in ${path}`,
  },
} as const
