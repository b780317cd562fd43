import { onlyLeft } from '../../src/model/files/conflicts.ts'
import type { Author, Conflict, PlanEntry, PlanRequest } from '../../src/model/files/history.ts'
import type { SessionState } from '../../src/model/tree.ts'
import { authorName } from '../diff/AuthorChip.tsx'
import { clockTime } from '../texts/format.ts'
import { texts } from '../texts/texts.ts'

/** The parts of the sessions that a reason mentions. */
export type Sessions = Readonly<Record<string, { readonly name: string; readonly state: SessionState } | undefined>>

/** Returns the reason why a path needs a decision, as a sentence. */
export function reasonText(conflicts: Conflict, sessions: Sessions): string {
  const labels = texts.plans.reasons
  switch (conflicts.kind) {
    case 'others_work': {
      const { by, at } = conflicts
      const session = by.kind === 'run' ? sessions[by.session] : undefined
      return labels.taken(nameOf(by, sessions), clockTime(at), session?.state === 'running')
    }
    case 'merge_conflict':
      return labels.conflict(conflicts.hunks)
    case 'uncertain':
      return labels.uncertain(conflicts.among.length)
    case 'unwatched':
      return labels.unwatched
    case 'file_rule':
      return labels[conflicts.action](conflicts.class, conflicts.pattern)
    case 'in_use':
      return labels.inUse(sessions[conflicts.session]?.name ?? texts.files.author.elsewhere)
    case 'gap':
      return labels.gap(whyText(conflicts.why))
    case 'only_copy':
      return labels.onlyCopy
  }
}

/** Returns the words for the reason of a gap; another reason is a sentence already. */
const whyText = (why: string): string => (texts.files.gaps.why as Readonly<Record<string, string>>)[why] ?? why

export const nameOf = (author: Author, sessions: Sessions): string =>
  authorName(author, author.kind === 'run' ? sessions[author.session]?.name : undefined)

export function changeText(entry: PlanEntry, kind: PlanRequest['kind']): string {
  if (onlyLeft(entry)) return texts.plans.stays
  const { now, how } = entry
  const labels = kind === 'apply' ? texts.plans.howApply : texts.plans.how
  return how === 'write' && now === null ? labels.create : labels[how]
}
