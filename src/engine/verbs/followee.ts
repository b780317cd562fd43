import type { FollowTarget } from '../../api/index.ts'
import { CarrelError } from '../../model/errors.ts'
import { SessionId, WorkspaceId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { type Bell, browsersOf, filesOf } from '../../store/bell.ts'
import type { Line } from '../../store/store.ts'
import { enter, sessionIn } from '../authorize.ts'
import type { Context } from '../context.ts'

const PAGE = 256
/** The most characters that are kept for a reader who stopped reading, unless a single event is larger (L8). */
const PAGE_CHARS = 262_144

/** Changes of a workspace that are in no log. */
type Unlogged = 'files' | 'browsers'

/** A log that is followed, and the position of its reader. */
export interface Followee {
  readonly log: string
  seen: number
  caughtUp: boolean
  dirty: boolean
  ended: boolean
  /** The bells of changes that are in no log. */
  readonly unlogged: readonly (readonly [Unlogged, string])[]
  /** Such changes that the reader does not know of yet. */
  readonly news: Set<Unlogged>
  /** Number of events to read; smaller where events are large. */
  page: number
  read(after: number, limit: number): Promise<Line[]>
  head(): Promise<number>
  exists(): Promise<boolean>
}

/** @throws not_found, or bad_input where the target begins after the end of its log */
export async function followeeOf(ctx: Context, caller: Caller, target: FollowTarget): Promise<Followee> {
  const workspace = WorkspaceId.parse(target.workspace)
  if (target.kind === 'workspace') await enter(ctx, caller, workspace)
  else await sessionIn(ctx, caller, workspace, SessionId.parse(target.session))
  const source =
    target.kind === 'workspace'
      ? ofWorkspace(ctx, workspace)
      : ofSession(ctx, workspace, SessionId.parse(target.session))
  refuseAhead(target.after, await source.head())
  return { ...source, seen: target.after, caughtUp: false, dirty: true, ended: false, news: new Set(), page: PAGE }
}

type Source = Pick<Followee, 'log' | 'unlogged' | 'read' | 'head' | 'exists'>

const ofWorkspace = ({ store }: Context, workspace: WorkspaceId): Source => ({
  log: workspace,
  unlogged: [
    ['files', filesOf(workspace)],
    ['browsers', browsersOf(workspace)],
  ],
  read: (after, limit) => store.tree.readWorkspace(workspace, after, limit),
  head: () => store.tree.workspaceHead(workspace),
  exists: async () => (await store.tree.workspace(workspace)) !== null,
})

const ofSession = ({ store }: Context, workspace: WorkspaceId, session: SessionId): Source => ({
  log: session,
  unlogged: [],
  read: (after, limit) => store.log.read(session, after, limit),
  head: () => store.log.head(session),
  exists: async () => (await store.tree.session(workspace, session)) !== null,
})

/** A reader ahead of the log follows another database: it must load anew instead of waiting for ever. */
function refuseAhead(after: number, head: number): void {
  if (after <= head) return
  const message = `The log ends at ${head}, and you asked for the events after ${after}. Load it anew.`
  throw new CarrelError('bad_input', message, { head, after })
}

/** Marks a followee on each ring of its bells and calls `wake`. Returns the ways to stop. */
export function listenFor(bell: Bell, followee: Followee, wake: () => void): (() => void)[] {
  const log = bell.listen(followee.log, ({ head }) => {
    if (head <= followee.seen && followee.caughtUp) return
    followee.dirty = true
    wake()
  })
  const others = followee.unlogged.map(([kind, rings]) =>
    bell.listen(rings, () => {
      followee.news.add(kind)
      wake()
    }),
  )
  return [log, ...others]
}

/**
 * Reads the next page of a log. The followee stays dirty while there may be more, so that many logs take turns.
 * `caughtUp`: with this page the reader has reached the head for the first time.
 */
export async function nextPage(followee: Followee): Promise<{ lines: Line[]; caughtUp: boolean }> {
  followee.dirty = false
  const limit = followee.page
  const read = await followee.read(followee.seen, limit)
  const lines = withinPage(read)
  const isCut = lines.length < read.length
  followee.page = isCut ? lines.length : Math.min(PAGE, limit * 2)
  const more = isCut || read.length === limit
  if (more) followee.dirty = true
  const caughtUp = !more && !followee.caughtUp
  if (caughtUp) followee.caughtUp = true
  return { lines, caughtUp }
}

/** Returns the first lines that fit, at least one. The others are read again later. */
function withinPage(lines: Line[]): Line[] {
  let chars = 0
  const beyond = lines.findIndex(({ json }, n) => {
    chars += json.length
    return n > 0 && chars > PAGE_CHARS
  })
  return beyond === -1 ? lines : lines.slice(0, beyond)
}

/** Finds changes without a ring: marks a followee with new events as dirty, and a deleted one as ended. */
export async function checkAgain(followee: Followee): Promise<void> {
  if (!(await followee.exists())) followee.ended = true
  else if ((await followee.head()) > followee.seen) followee.dirty = true
}
