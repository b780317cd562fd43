import { onlyLeft } from '../../src/model/conflicts.ts'
import type { Author, Conflict, PlanEntry, PlanRequest } from '../../src/model/history.ts'
import type { SessionState } from '../../src/model/tree.ts'
import { authorName } from '../diff/AuthorChip.tsx'
import { texts } from '../texts/texts.ts'
import { clockTime } from '../ui/format.ts'

/** What of the workspace's sessions is said in a reason. */
export type Sessions = Readonly<Record<string, { readonly name: string; readonly state: SessionState } | undefined>>

/** Why a path is not written without being told to, as a sentence. */
export function reasonWords(conflicts: Conflict, sessions: Sessions): string {
  const words = texts.plans.reasons
  switch (conflicts.kind) {
    case 'others_work': {
      const { by, at } = conflicts
      const session = by.kind === 'run' ? sessions[by.session] : undefined
      return words.taken(nameOf(by, sessions), clockTime(at), session?.state === 'running')
    }
    case 'merge_conflict':
      return words.conflict(conflicts.hunks)
    case 'uncertain':
      return words.uncertain(conflicts.among.length)
    case 'file_rule':
      return words[conflicts.action](conflicts.class, conflicts.pattern)
    case 'in_use':
      return words.inUse(sessions[conflicts.session]?.name ?? texts.files.author.elsewhere)
    case 'gap':
      return words.gap(conflicts.why)
  }
}

export const nameOf = (author: Author, sessions: Sessions): string =>
  authorName(author, author.kind === 'run' ? sessions[author.session]?.name : undefined)

export function howWords(entry: PlanEntry, kind: PlanRequest['kind']): string {
  if (onlyLeft(entry)) return texts.plans.stays
  const { now, how } = entry
  const words = kind === 'apply' ? texts.plans.howApply : texts.plans.how
  return how === 'write' && now === null ? words.create : words[how]
}
