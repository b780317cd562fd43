import type { Rule } from '../../src/model/rules.ts'

const DOING: Readonly<Record<string, string>> = {
  read: 'reading',
  edit: 'editing',
  delete: 'deleting',
  move: 'moving',
  search: 'searching',
  fetch: 'fetching from the network',
}
const doing = (toolKind: string): string => DOING[toolKind] ?? toolKind

const ANY_FILE = 'any file'

/** A rule as a sentence without its full stop. `space`: name of the Space that the rule applies to. */
function sentence({ action, command, path, toolKind, agent }: Rule, space: string | null): string {
  const verb = { allow: 'Allow', ask: 'Ask before', deny: 'Deny' }[action]
  const kind = toolKind === null ? '' : doing(toolKind)
  const what =
    command !== null
      ? `the command ${command}`
      : [kind || (path === null ? 'everything' : 'anything with'), path === '**' ? ANY_FILE : path]
          .filter(Boolean)
          .join(' ')
  return [verb, what, agent !== null && `by ${agent}`, space === null ? 'in all Spaces' : `in ${space}`]
    .filter(Boolean)
    .join(' ')
}

/** Permission rules: the offers at a question, and the sentence of a rule. */
export const rules = {
  make: 'Add rule',
  all: 'All rules…',
  thisSpace: 'this Space',
  notAdded: 'The rule was not added.',
  sentence,
  /** Rules that a question offers, each with its scope. */
  offer: {
    kind: (toolKind: string) => `Always allow ${doing(toolKind)}`,
    kindNote: 'Any path and any arguments.',
    command: (command: string) => `Always allow ${command}`,
    commandNote: 'Exactly this command.',
    file: (toolKind: string, path: string) => `Always allow ${doing(toolKind)} ${path}`,
    fileNote: 'Only this file.',
    folder: (toolKind: string, folder: string) => `Always allow ${doing(toolKind)} files in ${folder}/`,
    folderNote: 'All files in this folder and its subfolders.',
    anyFile: (toolKind: string) => `Always allow ${doing(toolKind)} ${ANY_FILE}`,
    anyFileNote: 'All files of the Space, none outside of it.',
    note: (space: string, note: string) => `In ${space}. ${note}`,
  },
} as const
