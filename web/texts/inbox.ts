import { count } from '../ui/format.ts'

export const inbox = {
  title: 'Inbox',
  open: (questions: number, age: string) => `${count(questions, 'open question')}, the oldest since ${age}`,
  list: 'Open questions',
  keys: { move: 'move', choose: 'choose' },
  empty: {
    title: 'Nobody waits for you',
    text: 'When an agent asks something, in whatever session, it is listed here until it is answered.',
  },
  drawer: {
    close: 'Close the inbox',
    open: (questions: number) => `${count(questions, 'open question')}: answer here`,
    others: (questions: number) => `${count(questions, 'question')} of other sessions`,
  },
  alike: {
    title: (questions: number) => `${questions} identical questions`,
    /** After the title. */
    open: (sessions: number) => `are open${sessions > 1 ? ` in ${sessions} sessions` : ''}. One answer for all:`,
    answer: (label: string, questions: number) => `${label}: all ${questions}`,
    answered: (questions: number, label: string) => `${count(questions, 'question')} answered with “${label}”.`,
    notAnswered: 'not answered',
    notOffered: 'It does not offer this answer any more; look at it by itself.',
  },
} as const
