import type { Noun } from '../shell/noun.ts'
import { count } from '../ui/format.ts'
import { NOUNS } from './nouns.ts'

const things = (noun: Noun, names: readonly string[]): string =>
  names.length === 1 ? `“${names[0]}” is` : `${count(names.length, NOUNS[noun])} are`

/** Spaces, projects and sessions, and what is done with them. */
export const tree = {
  space: (name: string) => `Space ${name}`,
  missing: (folder: string) => `The folder is not there now: ${folder}`,
  newSession: 'New session',
  newSessionIn: (project: string) => `New session in ${project}`,
  noNewSession: 'No new session',
  queued: (prompts: number) => `${prompts} queued`,
  open: (questions: number) => `${questions} open`,
  news: 'news',
  older: 'Show older sessions',
  loadingOlder: 'Loading older sessions ...',
  menu: {
    title: (noun: Noun, name: string) => `More for ${NOUNS[noun]} ${name}`,
    newProject: 'New project ...',
    secrets: 'Secrets ...',
    environment: 'Environment ...',
    rename: 'Rename ...',
    close: 'Close (end its run and its agents)',
    archive: 'Archive',
    delete: 'Delete ...',
  },
  notClosed: (name: string) => `${name} was not closed`,
  name: {
    field: 'Name',
    rename: (noun: Noun) => `Rename ${NOUNS[noun]}`,
    newProject: (space: string) => `New project in ${space}`,
  },
  delete: {
    title: (noun: Noun, name: string) => `Delete ${NOUNS[noun]} “${name}”?`,
    looking: 'Looking what would go ...',
    keep: 'Keep',
    act: 'Delete for good',
    goes: (projects: number, sessions: number, events: number) => {
      const parts = [count(sessions, 'session'), `${count(events, 'event')} of their logs`]
      if (projects > 0) parts.unshift(count(projects, 'project'))
      return `This goes, and cannot be brought back: ${parts.join(', ')}.`
    },
    folders: 'These folders are removed from disk:',
    filesStay: 'Files stay as they are.',
    busy: (sessions: readonly string[]) => `First stop what runs in: ${sessions.join(', ')}.`,
  },
  archived: {
    title: 'Archived',
    looking: 'Looking what was archived ...',
    empty: 'Nothing is archived.',
    older: 'Show older archived sessions',
    bringBack: 'Bring back',
    bringBackOne: (noun: Noun, name: string) => `Bring back ${NOUNS[noun]} ${name}`,
  },
  done: {
    archived: (noun: Noun, names: readonly string[]) => `${things(noun, names)} archived.`,
    broughtBack: (noun: Noun, names: readonly string[]) => `${things(noun, names)} brought back.`,
    undo: 'Undo',
    notArchived: 'not archived',
    notBroughtBack: 'not brought back',
    problem: (name: string, why: string) => `“${name}”: ${why}`,
    /** `what`: what was not done with all of them. */
    problems: (what: string, all: readonly string[]) =>
      `${all.length} ${what}. ${all[0]}${all.length > 1 ? ` (and ${all.length - 1} more)` : ''}`,
  },
} as const
