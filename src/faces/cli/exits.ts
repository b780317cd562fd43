import { ERRORS } from '../../model/errors.ts'
import type { QuestionItem } from '../../model/events/items.ts'
import { RUN_WORDS } from '../../model/state-words.ts'
import type { Session } from '../../model/tree.ts'
import { howToAnswer } from './asking.ts'
import type { OpenCli } from './cli.ts'
import type { Leaving } from './leaving.ts'
import { short } from './terminal.ts'
import type { WatchEnd } from './watching.ts'

/**
 * Reasons why `carrel run` ends without a completed run, with the exit code of each. Codes above 100 are those of
 * `timeout` and of shells, which report signal n as 128 + n.
 */
export const RUN_EXIT = {
  failed: 1,
  refused: 1,
  question: 2,
  lost: 3,
  gone: ERRORS.gone.exit,
  over_budget: ERRORS.over_budget.exit,
  timeout: 124,
  hung_up: 129,
  cancelled: 130,
  interrupted: 130,
  unread: 141,
  terminated: 143,
} as const

const MEANING: Readonly<Record<keyof typeof RUN_EXIT, string>> = {
  failed: 'the agent failed',
  refused: 'the agent refused',
  question: 'a question has no answer: the run was given up (--on-question fail), or still waits (--timeout)',
  lost: 'the agent died, and nobody knows what it did',
  gone: 'the session was deleted',
  over_budget: 'over budget',
  timeout: 'still running after --timeout',
  hung_up: 'left because the terminal closed',
  cancelled: 'cancelled',
  interrupted: 'left with a second Ctrl-C',
  unread: 'left because nobody reads stdout, as behind `| head`',
  terminated: 'left because of SIGTERM',
}

/** Why a run is not completed, as the last line of `--json` says it. `message`: sentences for a person. */
export interface RunProblem {
  readonly code: keyof typeof RUN_EXIT
  readonly message: string
  readonly data?: unknown
}

export const NOT_STARTED: RunProblem = {
  code: 'timeout',
  message: 'The run has not started within the timeout; the prompt stays queued.',
}

/** Returns the lines of a help text: each exit code of a run with its meanings. */
export function runExitLines(): string {
  const byExit = Map.groupBy(Object.entries(MEANING), ([code]) => RUN_EXIT[code as keyof typeof RUN_EXIT])
  const rows = [...byExit].map(([exit, meanings]) => [exit, meanings.map(([, meaning]) => meaning).join('; ')] as const)
  return [[0, 'completed'] as const, ...rows].map(([exit, text]) => `${String(exit).padStart(4)}  ${text}`).join('\n')
}

/** Returns why a watched run is not completed; null for a completed one. */
export function problemOf(cli: OpenCli, session: Session, end: WatchEnd): RunProblem | null {
  switch (end.kind) {
    case 'ended': {
      const { outcome, problem } = end
      if (outcome === 'completed') return null
      const sentences = problem ? [problem.message, problem.next] : [`${RUN_WORDS[outcome]}.`]
      return { code: outcome, message: sentences.filter(Boolean).join(' ') }
    }
    case 'given-up':
      return asks(end.question, 'The run was cancelled, since nobody answers here (--on-question fail).')
    case 'withdrawn':
      return { code: 'cancelled', message: 'The prompt was withdrawn before it ran.' }
    case 'deleted':
      return { code: 'gone', message: `The session no longer exists: ${end.reason}` }
    case 'left': {
      const sentence = leftSentence(cli, session, end.why)
      if (end.why !== 'timeout' || !end.question) return { code: end.why, message: sentence }
      return asks(end.question, `Answer it with: ${howTo(end.question)}\n${sentence}`)
    }
  }
}

const howTo = ({ interaction: id, question }: QuestionItem): string => howToAnswer({ id, question })

const asks = (item: QuestionItem, rest: string): RunProblem => ({
  code: 'question',
  message: `The agent asks ${JSON.stringify(short(item.question.title, 120))}. ${rest}`,
  data: { question: item.interaction, answer: howTo(item) },
})

function leftSentence({ how }: OpenCli, { id }: Session, why: Leaving): string {
  if (how !== 'embedded' && why === 'interrupted')
    return `The run was asked to stop. See its end with: carrel attach ${id}`
  if (how !== 'embedded') return `The run continues. Watch it with: carrel attach ${id}`
  return why === 'interrupted' ? 'The run was asked to stop.' : 'Without a server, the run ends with this command.'
}
