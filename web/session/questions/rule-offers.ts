import type { Input } from '../../../src/api/index.ts'
import type { Question } from '../../../src/model/interaction.ts'
import { texts } from '../../texts/texts.ts'
import { shortPath } from '../transcript/tool-details.ts'

/** A rule that would have answered a question, with a label for its scope. */
export interface RuleOffer {
  readonly label: string
  readonly note: string
  readonly rule: Pick<Input<'rules.add'>, 'toolKind' | 'path' | 'command'>
}

const LONGEST_COMMAND = 4_096
/** Characters with a meaning in globs. A path with one of them cannot be matched exactly. */
const GLOB_SIGNS = /[*?[\]{}()!+@\\]/

const labels = texts.rules.offer

/** Returns the rules that a question offers, narrowest first. Empty if no rule would be narrow enough. */
export function offersFor(question: Question, root: string): RuleOffer[] {
  if (question.kind !== 'permission' || !question.options.some(({ kind }) => kind === 'allow_once')) return []
  const { command, toolKind, paths } = question
  if (command !== null) return commandOffers(command)
  if (toolKind === null) return []
  if (paths.length > 0) return pathOffers(toolKind, paths, root)
  if (!['read', 'search', 'fetch'].includes(toolKind)) return []
  return [{ label: labels.kind(toolKind), note: labels.kindNote, rule: { toolKind } }]
}

function commandOffers(command: string): RuleOffer[] {
  if (command.length > LONGEST_COMMAND || command.includes('*')) return []
  return [{ label: labels.command(command), note: labels.commandNote, rule: { command } }]
}

function pathOffers(toolKind: string, paths: readonly string[], root: string): RuleOffer[] {
  const inside = paths.map((path) => shortPath(path, root))
  if (inside.some((path) => path.startsWith('/') || path.split('/').includes('..'))) return []
  const offers: RuleOffer[] = []
  const [only] = inside
  if (only && inside.length === 1 && !GLOB_SIGNS.test(only)) {
    offers.push({ label: labels.file(toolKind, only), note: labels.fileNote, rule: { toolKind, path: only } })
    const folder = only.split('/').slice(0, -1).join('/')
    if (folder) {
      const rule = { toolKind, path: `${folder}/**` }
      offers.push({ label: labels.folder(toolKind, folder), note: labels.folderNote, rule })
    }
  }
  return [...offers, { label: labels.anyFile(toolKind), note: labels.anyFileNote, rule: { toolKind, path: '**' } }]
}
