import { count } from './format.ts'
import { NOUNS, type TreeNoun } from './words/nouns.ts'

const things = (noun: TreeNoun, names: readonly string[]): string =>
  names.length === 1 ? `“${names[0]}”` : count(names.length, NOUNS[noun])

/** Spaces, projects and sessions, and what is done with them. */
export const tree = {
  space: (name: string) => `Space ${name}`,
  missing: (folder: string) => `Folder not found: ${folder}`,
  newSession: 'New session',
  newSessionIn: (project: string) => `New session in ${project}`,
  noNewSession: 'The session was not created',
  queued: (prompts: number) => `${prompts} queued`,
  open: (questions: number) => `${questions} open`,
  news: 'new activity',
  older: 'Show older sessions',
  loadingOlder: 'Loading older sessions…',
  menu: {
    title: (noun: TreeNoun, name: string) => `More for ${NOUNS[noun]} ${name}`,
    newProject: 'New project…',
    secrets: 'Secrets…',
    environment: 'Environment settings…',
    rename: 'Rename…',
    close: 'End session',
    archive: 'Archive',
    delete: 'Delete…',
  },
  notClosed: (name: string) => `“${name}” was not ended`,
  name: {
    field: 'Name',
    rename: (noun: TreeNoun) => `Rename ${NOUNS[noun]}`,
    newProject: (space: string) => `New project in ${space}`,
  },
  delete: {
    title: (noun: TreeNoun, name: string) => `Delete ${NOUNS[noun]} “${name}”?`,
    looking: 'Checking what would be deleted…',
    keep: 'Cancel',
    act: 'Delete permanently',
    goes: (projects: number, sessions: number, events: number) => {
      const parts = [count(sessions, 'session'), `${count(events, 'event')} of their logs`]
      if (projects > 0) parts.unshift(count(projects, 'project'))
      return `This permanently deletes ${parts.join(', ')}.`
    },
    folders: 'These folders are deleted from disk:',
    filesStay: 'Your files are not changed.',
    busy: (sessions: readonly string[]) => `Stop the runs in these sessions first: ${sessions.join(', ')}.`,
  },
  archived: {
    title: 'Archived',
    looking: 'Loading archived items…',
    empty: 'Nothing is archived.',
    older: 'Show older archived sessions',
    unarchive: 'Restore',
    restoreOne: (noun: TreeNoun, name: string) => `Restore ${NOUNS[noun]} ${name}`,
  },
  done: {
    archived: (noun: TreeNoun, names: readonly string[]) => `Archived ${things(noun, names)}.`,
    restored: (noun: TreeNoun, names: readonly string[]) => `Restored ${things(noun, names)}.`,
    undo: 'Undo',
    notArchived: 'not archived',
    notRestored: 'not restored',
    problem: (name: string, why: string) => `“${name}”: ${why}`,
    /** `what`: the act that failed, such as "not archived". */
    problems: (what: string, all: readonly string[]) =>
      `${all.length} ${what}. ${all[0]}${all.length > 1 ? ` (and ${all.length - 1} more)` : ''}`,
  },
} as const
