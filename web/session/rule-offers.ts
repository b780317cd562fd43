import type { Input } from '../../src/api/index.ts'
import type { Question } from '../../src/model/interaction.ts'
import type { Rule } from '../../src/model/rules.ts'
import { shortPath } from './tool-words.ts'

/** A standing answer that would have answered a question, with its scope in words. */
export interface RuleOffer {
  readonly label: string
  readonly note: string
  readonly rule: Pick<Input<'rules.add'>, 'toolKind' | 'path' | 'command'>
}

const LONGEST_COMMAND = 4_096
/** Signs that mean something in a glob: a path that has them cannot be named by one safely. */
const GLOB_SIGNS = /[*?[\]{}()!+@\\]/

const DOING: Record<string, string> = {
  read: 'reading',
  edit: 'edits of',
  delete: 'deleting',
  move: 'moving',
  search: 'searching',
  fetch: 'fetching from the net',
}

/** What could be allowed for good instead of once, narrowest first. Empty where nothing narrow enough can be said. */
export function offersFor(question: Question, root: string): RuleOffer[] {
  if (question.kind !== 'permission' || !question.options.some(({ kind }) => kind === 'allow_once')) return []
  const { command, toolKind, paths } = question
  if (command !== null) return commandOffers(command)
  if (toolKind === null) return []
  if (paths.length > 0) return pathOffers(toolKind, paths, root)
  if (!['read', 'search', 'fetch'].includes(toolKind)) return []
  return [{ label: `Always allow ${DOING[toolKind]}`, note: 'Any place and any words.', rule: { toolKind } }]
}

function commandOffers(command: string): RuleOffer[] {
  if (command.length > LONGEST_COMMAND || command.includes('*')) return []
  return [{ label: `Always allow ${command}`, note: 'This very command and no other.', rule: { command } }]
}

function pathOffers(toolKind: string, paths: readonly string[], root: string): RuleOffer[] {
  const inside = paths.map((path) => shortPath(path, root))
  const doing = DOING[toolKind] ?? toolKind
  if (inside.some((path) => path.startsWith('/') || path.split('/').includes('..'))) return []
  const offers: RuleOffer[] = []
  const [only] = inside
  if (only && inside.length === 1 && !GLOB_SIGNS.test(only)) {
    offers.push({
      label: `Always allow ${doing} ${only}`,
      note: 'This file and no other.',
      rule: { toolKind, path: only },
    })
    const folder = only.split('/').slice(0, -1).join('/')
    if (folder) {
      const note = 'All files in this folder and below it.'
      offers.push({
        label: `Always allow ${doing} files in ${folder}/`,
        note,
        rule: { toolKind, path: `${folder}/**` },
      })
    }
  }
  const note = 'All files of the Space, but none outside of it.'
  return [...offers, { label: `Always allow ${doing} any file`, note, rule: { toolKind, path: '**' } }]
}

/** A rule as a sentence without its end. `space`: the name of the Space it holds in. */
export function ruleWords({ action, command, path, toolKind, agent }: Rule, space: string | null): string {
  const verb = { allow: 'Allow', ask: 'Ask before', deny: 'Refuse' }[action]
  const doing = toolKind === null ? '' : (DOING[toolKind] ?? toolKind)
  const what =
    command !== null
      ? `the command ${command}`
      : [doing || 'everything', path !== null && (path === '**' ? 'any file' : path)].filter(Boolean).join(' ')
  return [verb, what, agent !== null && `by ${agent}`, space === null ? 'everywhere' : `in ${space}`]
    .filter(Boolean)
    .join(' ')
}
