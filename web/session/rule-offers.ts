import type { Input } from '../../src/api/index.ts'
import type { Question } from '../../src/model/interaction.ts'
import { texts } from '../texts/texts.ts'
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

const words = texts.rules.offer

/** What could be allowed for good instead of once, narrowest first. Empty where nothing narrow enough can be said. */
export function offersFor(question: Question, root: string): RuleOffer[] {
  if (question.kind !== 'permission' || !question.options.some(({ kind }) => kind === 'allow_once')) return []
  const { command, toolKind, paths } = question
  if (command !== null) return commandOffers(command)
  if (toolKind === null) return []
  if (paths.length > 0) return pathOffers(toolKind, paths, root)
  if (!['read', 'search', 'fetch'].includes(toolKind)) return []
  return [{ label: words.kind(toolKind), note: words.kindNote, rule: { toolKind } }]
}

function commandOffers(command: string): RuleOffer[] {
  if (command.length > LONGEST_COMMAND || command.includes('*')) return []
  return [{ label: words.command(command), note: words.commandNote, rule: { command } }]
}

function pathOffers(toolKind: string, paths: readonly string[], root: string): RuleOffer[] {
  const inside = paths.map((path) => shortPath(path, root))
  if (inside.some((path) => path.startsWith('/') || path.split('/').includes('..'))) return []
  const offers: RuleOffer[] = []
  const [only] = inside
  if (only && inside.length === 1 && !GLOB_SIGNS.test(only)) {
    offers.push({ label: words.file(toolKind, only), note: words.fileNote, rule: { toolKind, path: only } })
    const folder = only.split('/').slice(0, -1).join('/')
    if (folder) {
      const rule = { toolKind, path: `${folder}/**` }
      offers.push({ label: words.folder(toolKind, folder), note: words.folderNote, rule })
    }
  }
  return [...offers, { label: words.anyFile(toolKind), note: words.anyFileNote, rule: { toolKind, path: '**' } }]
}
