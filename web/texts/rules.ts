import type { Rule } from '../../src/model/rules.ts'

const DOING: Readonly<Record<string, string>> = {
  read: 'reading',
  edit: 'edits of',
  delete: 'deleting',
  move: 'moving',
  search: 'searching',
  fetch: 'fetching from the net',
}
const doing = (toolKind: string): string => DOING[toolKind] ?? toolKind

const ANY_FILE = 'any file'

/** A rule as a sentence without its end. `space`: the name of the Space it holds in. */
function sentence({ action, command, path, toolKind, agent }: Rule, space: string | null): string {
  const verb = { allow: 'Allow', ask: 'Ask before', deny: 'Refuse' }[action]
  const kind = toolKind === null ? '' : doing(toolKind)
  const what =
    command !== null
      ? `the command ${command}`
      : [kind || (path === null ? 'everything' : 'anything with'), path === '**' ? ANY_FILE : path]
          .filter(Boolean)
          .join(' ')
  return [verb, what, agent !== null && `by ${agent}`, space === null ? 'everywhere' : `in ${space}`]
    .filter(Boolean)
    .join(' ')
}

/** Standing answers: those offered at a question, and how a rule is said. */
export const rules = {
  make: 'Make a rule',
  all: 'All rules ...',
  thisSpace: 'this Space',
  notAdded: 'Not allowed for good.',
  sentence,
  /** What could be allowed for good, each with its scope. */
  offer: {
    kind: (toolKind: string) => `Always allow ${doing(toolKind)}`,
    kindNote: 'Any place and any words.',
    command: (command: string) => `Always allow ${command}`,
    commandNote: 'This very command and no other.',
    file: (toolKind: string, path: string) => `Always allow ${doing(toolKind)} ${path}`,
    fileNote: 'This file and no other.',
    folder: (toolKind: string, folder: string) => `Always allow ${doing(toolKind)} files in ${folder}/`,
    folderNote: 'All files in this folder and below it.',
    anyFile: (toolKind: string) => `Always allow ${doing(toolKind)} ${ANY_FILE}`,
    anyFileNote: 'All files of the Space, but none outside of it.',
    note: (space: string, note: string) => `In ${space}. ${note}`,
  },
} as const
