import { count } from './format.ts'

export const inbox = {
  title: 'Inbox',
  open: (questions: number, age: string) => `${count(questions, 'open question')}, oldest ${age} ago`,
  list: 'Open questions',
  keys: { move: 'move', choose: 'answer' },
  empty: {
    title: 'You’re all caught up',
    text: 'Questions of agents in all sessions are listed here until you answer them.',
  },
  drawer: {
    close: 'Close the inbox',
    open: (questions: number) => `${count(questions, 'open question')}: answer here`,
    others: (questions: number) => `${count(questions, 'question')} in other sessions`,
  },
  alike: {
    title: (questions: number) => `${questions} identical questions`,
    /** Continues the sentence that the title begins. */
    open: (sessions: number) => `are open${sessions > 1 ? ` in ${sessions} sessions` : ''}. Answer all of them:`,
    answer: (label: string, questions: number) => `${label}: all ${questions}`,
    answered: (questions: number, label: string) => `${count(questions, 'question')} answered with “${label}”.`,
    notAnswered: 'not answered',
    notOffered: 'The question no longer offers this answer. Answer it separately.',
  },
} as const
