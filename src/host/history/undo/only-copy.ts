import type { FilePath, FileState, PlanRequest } from '../../../model/files/history.ts'
import type { RunId } from '../../../model/ids.ts'
import type { Book } from '../log/book.ts'
import type { NotedChange } from '../log/query.ts'
import { isFolder } from '../log/versions.ts'
import { authorsUndone, type PlanContext, type Proposal } from './proposals.ts'

/** Whether a write would remove content that came from outside of the history, and may exist nowhere else. */
export type OnlyCopy = (proposal: Proposal, now: FileState | null) => boolean

/**
 * Content is at risk that was brought from outside of the history (`origins.ts`), and what a run made before uncovered
 * files of the run went away: it may be their copy. Content that the plan puts elsewhere is not.
 */
export function copiesAtRisk(book: Book, proposals: readonly Proposal[], wasMoved: WasMoved): OnlyCopy {
  const elsewhere = new Map<string, FilePath[]>()
  for (const { path, next } of proposals) {
    const digest = next.state?.digest
    if (digest) elsewhere.set(digest, [...(elsewhere.get(digest) ?? []), path])
  }
  const wentWith = new Map<RunId, NotedChange[]>()
  const goneBy = (run: RunId) => {
    const known = wentWith.get(run) ?? book.changesBy({ run }).filter(isLossOfUncovered)
    wentWith.set(run, known)
    return known
  }
  const mayBeCopy = (made: NotedChange): boolean =>
    runsOf(made).some((run) => goneBy(run).some((gone) => gone.n >= made.n && fits(gone, made)))
  return ({ path, next: { state: next }, changes: ever }, now) => {
    if (now === null || isFolder(now) || now.size === 0 || now.digest === next?.digest) return false
    if (elsewhere.get(now.digest ?? '')?.some((one) => one !== path)) return false
    if (wasMoved(now.digest, path)) return true
    const changes = ever()
    const made = changes.findLastIndex(({ before }) => before === null)
    return changes.some((change, at) => {
      const { note, before, after } = change
      const isNow = after?.digest === now.digest
      if (!isNow && at < made) return false
      if (note === 'brought') return isNow || next === null || before?.digest === next.digest
      return note === null && before === null && next === null && mayBeCopy(change)
    })
  }
}

/** Whether the work to undo moved this content of somebody else to a path from another one. */
export type WasMoved = (digest: string | null, path: FilePath) => boolean

/** @param proposals all of the request, also those that write nothing or were not chosen */
export function movedContent(context: PlanContext, request: PlanRequest, proposals: readonly Proposal[]): WasMoved {
  if (request.kind === 'apply') return movedTo(context.book, proposals)
  const { isMine, mayGo } = workUndone(request, proposals, context)
  const origins = new Map<string, Set<FilePath>>()
  for (const [path, all] of historyOf(context.book, request, proposals)) {
    for (const [at, change] of all.entries()) {
      const { before, after, author } = change
      const digest = before && before.size > 0 ? before.digest : null
      const isBack = all.at(-1)?.after?.digest === digest
      if (digest === null || digest === after?.digest || isBack || !(isMine(change) || author.kind === 'unknown'))
        continue
      const maker = all.slice(0, at).findLast((earlier) => earlier.after?.digest === digest)
      if (!maker || !mayGo(maker)) origins.set(digest, (origins.get(digest) ?? new Set()).add(path))
    }
  }
  return (digest, path) => digest !== null && [...(origins.get(digest) ?? [])].some((origin) => origin !== path)
}

/** Returns all changes of the paths of a request. A restore passes over paths that have come and gone since. */
function historyOf(book: Book, request: PlanRequest, proposals: readonly Proposal[]) {
  const histories = new Map(proposals.map(({ path, changes }) => [path, changes()] as const))
  const since = request.kind === 'restore' ? book.changesBy({ since: request.to }) : []
  for (const { path } of since) if (!histories.has(path)) histories.set(path, book.changesOf(path))
  return histories
}

/** The files of an apply say by themselves where content goes. */
function movedTo(book: Book, proposals: readonly Proposal[]): WasMoved {
  const byContent = Map.groupBy(proposals, ({ next }) => next.state?.digest ?? null)
  return (digest, path) => {
    const targets = digest === null ? [] : (byContent.get(digest) ?? []).filter((target) => target.path !== path)
    return targets.length > 0 && targets.every((target) => book.stateAt(target.path, book.newest)?.digest !== digest)
  }
}

interface Undone {
  /** Whether a change would be undone. */
  readonly isMine: (change: NotedChange) => boolean
  /** Whether the content that it made may go without a word. */
  readonly mayGo: (change: NotedChange) => boolean
}

function workUndone(
  request: Exclude<PlanRequest, { kind: 'apply' }>,
  proposals: readonly Proposal[],
  { actOf }: PlanContext,
): Undone {
  if (request.kind === 'restore') {
    const isMine = ({ n }: NotedChange) => n > request.to
    const isOurs = authorsUndone(
      proposals.flatMap(({ changes }) => changes().filter(isMine)),
      actOf,
    )
    return { isMine, mayGo: (change) => isMine(change) && isOurs(change.author) }
  }
  const { of } = request
  const isMine = ({ author, n }: NotedChange) => {
    if (of.kind === 'snapshot') return n === of.n
    if (of.kind === 'act') return author.kind === 'act' && author.act === of.act
    return author.kind === 'run' && (of.kind === 'run' ? author.run === of.run : author.session === of.session)
  }
  return { isMine, mayGo: isMine }
}

const runsOf = ({ author }: NotedChange): readonly RunId[] =>
  author.kind === 'run' ? [author.run] : author.kind === 'unknown' ? author.among : []

const isLossOfUncovered = ({ note, before, after }: NotedChange): boolean =>
  note === 'coverage' && before?.uncovered === true && after === null

/** A folder that went away may have held anything, a file only content of its own size. */
const fits = ({ before }: NotedChange, { after }: NotedChange): boolean =>
  before?.kind === 'folder' || before?.size === after?.size
