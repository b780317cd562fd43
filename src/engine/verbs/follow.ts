import type { Followed, FollowTarget } from '../../api/index.ts'
import { CarrelError } from '../../model/errors.ts'
import { SessionId, WorkspaceId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { browsersOf, filesOf } from '../../store/bell.ts'
import type { Line } from '../../store/store.ts'
import { enter, sessionIn } from '../authorize.ts'
import type { Context } from '../context.ts'

/** Events taken from the store at a time, at the most. */
const PAGE = 256
/** What of them is kept for a reader: what one that stopped reading costs, unless a single event is larger (L8). Characters. */
const PAGE_CHARS = 262_144
/** A ring that was lost costs at the most this (L7). ms. */
export const FOLLOW_POLL_MS = 2_000

/** What rings beside the logs. */
type Besides = 'files' | 'browsers'

interface Followee {
  readonly log: string
  seen: number
  caughtUp: boolean
  dirty: boolean
  ended: boolean
  /** What rings when something that stands in no log may have changed: of a workspace only. */
  readonly besides: readonly (readonly [Besides, string])[]
  /** That it may have was not said yet. */
  readonly untold: Set<Besides>
  /** How many events to ask for: fewer where they are large. */
  page: number
  read(after: number, limit: number): Promise<Line[]>
  head(): Promise<number>
  there(): Promise<boolean>
}

/**
 * The resumable tail of any number of logs. Nothing is read ahead of the reader: each page is asked for when the one
 * before has been taken.
 */
export async function* follow(
  ctx: Context,
  caller: Caller,
  targets: readonly FollowTarget[],
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const followees = await Promise.all(targets.map((target) => followeeOf(ctx, caller, target)))
  let wake: (() => void) | null = null
  // Listening begins before the first read: an event written in between then rings instead of being missed.
  const unlisten = followees.map((followee) =>
    ctx.bell.listen(followee.log, ({ head }) => {
      if (head <= followee.seen && followee.caughtUp) return
      followee.dirty = true
      wake?.()
    }),
  )
  for (const followee of followees) {
    for (const [kind, rings] of followee.besides) {
      const listener = () => {
        followee.untold.add(kind)
        wake?.()
      }
      unlisten.push(ctx.bell.listen(rings, listener))
    }
  }
  const onAbort = () => wake?.()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted && followees.some((followee) => !followee.ended)) {
      for (const followee of followees) {
        if (followee.ended) continue
        for (const kind of followee.untold) {
          followee.untold.delete(kind)
          yield { kind, log: followee.log }
        }
        if (!followee.dirty) continue
        const page = await nextPage(followee)
        // Given from here: one generator inside another costs a long catch-up a third of its time.
        for (const { seq, json } of page.lines) {
          if (signal.aborted) return
          followee.seen = seq
          yield { kind: 'event', log: followee.log, seq, json }
        }
        if (page.caughtUp) yield { kind: 'caught-up', log: followee.log, head: followee.seen }
      }
      if (followees.some((followee) => followee.dirty || followee.untold.size > 0) || signal.aborted) continue
      const rung = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), FOLLOW_POLL_MS)
        wake = () => {
          clearTimeout(timer)
          resolve(true)
        }
      })
      wake = null
      if (!rung) for (const followee of followees) yield* lookAgain(followee)
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const stop of unlisten) stop()
  }
}

/**
 * One page of what is new; stays dirty while there may be more, so that many logs take turns. `caughtUp`: with this
 * page its reader has everything, for the first time.
 */
async function nextPage(followee: Followee): Promise<{ lines: Line[]; caughtUp: boolean }> {
  followee.dirty = false
  const { lines, more } = await takePage(followee)
  if (more) followee.dirty = true
  const caughtUp = !more && !followee.caughtUp
  if (caughtUp) followee.caughtUp = true
  return { lines, caughtUp }
}

async function takePage(followee: Followee): Promise<{ lines: Line[]; more: boolean }> {
  const limit = followee.page
  const read = await followee.read(followee.seen, limit)
  const lines = withinPage(read)
  followee.page = lines.length < read.length ? lines.length : Math.min(PAGE, limit * 2)
  return { lines, more: read.length === limit || lines.length < read.length }
}

/** The first of them that fit, at least one: what is left is read again when there is room for it. */
function withinPage(lines: Line[]): Line[] {
  let chars = 0
  const beyond = lines.findIndex(({ json }, n) => {
    chars += json.length
    return n > 0 && chars > PAGE_CHARS
  })
  return beyond === -1 ? lines : lines.slice(0, beyond)
}

async function* lookAgain(followee: Followee): AsyncGenerator<Followed> {
  if (followee.ended) return
  if (!(await followee.there())) {
    followee.ended = true
    yield { kind: 'ended', log: followee.log, reason: 'It was deleted.' }
    return
  }
  if ((await followee.head()) > followee.seen) followee.dirty = true
}

async function followeeOf(ctx: Context, caller: Caller, target: FollowTarget): Promise<Followee> {
  const workspace = WorkspaceId.parse(target.workspace)
  const base = {
    caughtUp: false,
    dirty: true,
    ended: false,
    besides: [],
    untold: new Set<Besides>(),
    page: PAGE,
    seen: target.after,
  }
  const { store } = ctx
  if (target.kind === 'workspace') {
    await enter(ctx, caller, workspace)
    const head = () => store.tree.workspaceHead(workspace)
    refuseAhead(target.after, await head())
    const read = (after: number, limit: number) => store.tree.readWorkspace(workspace, after, limit)
    return {
      ...base,
      log: workspace,
      besides: [
        ['files', filesOf(workspace)],
        ['browsers', browsersOf(workspace)],
      ],
      read,
      head,
      there: async () => (await store.tree.workspace(workspace)) !== null,
    }
  }
  const session = SessionId.parse(target.session)
  await sessionIn(ctx, caller, workspace, session)
  const head = () => store.log.head(session)
  refuseAhead(target.after, await head())
  const read = (after: number, limit: number) => store.log.read(session, after, limit)
  return {
    ...base,
    log: session,
    read,
    head,
    there: async () => (await store.tree.session(workspace, session)) !== null,
  }
}

/** A reader that has seen more than there is follows another database: it must begin anew instead of waiting for ever. */
function refuseAhead(after: number, head: number): void {
  if (after > head)
    throw new CarrelError(
      'bad_input',
      `The log ends at ${head}, and you asked for what comes after ${after}. Load it anew.`,
      { head, after },
    )
}
