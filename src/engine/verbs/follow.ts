import type { Followed, FollowTarget } from '../../api/index.ts'
import type { Caller } from '../../model/tree.ts'
import { onAbort } from '../../primitives/on-abort.ts'
import type { Context } from '../context.ts'
import { checkAgain, followeeOf, listenFor, nextPage } from './followee.ts'

/** A lost ring delays events by this much at the most (L7). ms. */
const FOLLOW_POLL_MS = 2_000

/** Follows logs, each after the position of its target. Reads no page before the reader has taken the last one. */
export async function* follow(
  ctx: Context,
  caller: Caller,
  targets: readonly FollowTarget[],
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const followees = await Promise.all(targets.map((target) => followeeOf(ctx, caller, target)))
  const alarm = createAlarm()
  // The listeners are set before the first read, so that no event in between is missed.
  const stops = followees.flatMap((followee) => listenFor(ctx.bell, followee, alarm.wake))
  stops.push(onAbort(signal, alarm.wake))
  try {
    while (!signal.aborted && followees.some((followee) => !followee.ended)) {
      for (const followee of followees) {
        if (followee.ended) continue
        for (const kind of followee.news) {
          followee.news.delete(kind)
          yield { kind, log: followee.log }
        }
        if (!followee.dirty) continue
        const page = await nextPage(followee)
        // A generator of its own for each followee would make a long catch-up a third slower.
        for (const { seq, json } of page.lines) {
          if (signal.aborted) return
          followee.seen = seq
          yield { kind: 'event', log: followee.log, seq, json }
        }
        if (page.caughtUp) yield { kind: 'caught-up', log: followee.log, head: followee.seen }
      }
      if (signal.aborted || followees.some((each) => !each.ended && (each.dirty || each.news.size > 0))) continue
      if (await alarm.rings(FOLLOW_POLL_MS)) continue
      for (const followee of followees.filter(({ ended }) => !ended)) {
        await checkAgain(followee)
        if (followee.ended) yield { kind: 'ended', log: followee.log, reason: 'The log was deleted.' }
      }
    }
  } finally {
    for (const stop of stops) stop()
  }
}

/** Ends a wait early. Without a wait, `wake` has no effect. */
function createAlarm(): { wake(): void; rings(ms: number): Promise<boolean> } {
  let end: ((woken: boolean) => void) | null = null
  return {
    wake: () => end?.(true),
    async rings(ms) {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      end = resolve
      const timer = setTimeout(() => resolve(false), ms)
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        end = null
      }
    },
  }
}
