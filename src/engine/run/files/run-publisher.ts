import type { Captured } from '../../../host/history/history.ts'
import type { Change, SnapshotReason } from '../../../model/files/history.ts'
import type { RunId } from '../../../model/ids.ts'
import { createSerial } from '../../../primitives/serial.ts'
import type { RunWork } from '../run-work.ts'
import { RunChanges } from './run-changes.ts'

/** Records in a run's log which paths it has changed so far, each time that a snapshot finds more. */
export interface RunPublisher {
  /** Sets the snapshot before the run, unless an earlier part of the run has set it. */
  from(n: number): void
  /** Continues with the changes of an earlier part of the run. */
  resume(known: readonly Change[]): void
  /** Bound, so that it may be passed on as a function. */
  readonly found: (own: readonly Change[], captured: Captured, reason: SnapshotReason) => void
  /** Resolves when all changes found so far are pushed. */
  settled(): Promise<void>
}

/**
 * @param place key of the place that the run works in
 * @param mark marks the events as afterwords of the run
 */
export function createRunPublisher(
  { ctx, recorder }: RunWork,
  run: RunId,
  place: string,
  mark: { readonly afterword?: true } = {},
): RunPublisher {
  const changes = new RunChanges()
  let first = 0
  let isResumed = false
  const jobs = createSerial()
  const publish = ({ n }: Captured, reason: SnapshotReason) => {
    const data = { run, place, from: Math.min(first, n), n, reason, ...changes.summary(), ...mark }
    recorder.push({ type: 'snapshot.taken', run, data })
  }
  const publishAll = async (captured: Captured, reason: SnapshotReason) => {
    changes.reset(await (await ctx.history()).changesBy(place, { run }))
    publish(captured, reason)
  }
  return {
    from(n) {
      if (!isResumed) first = n
    },
    resume(known) {
      changes.reset(known)
      const begins = known[0]?.n
      if (begins === undefined) return
      first = Math.max(begins - 1, 0)
      isResumed = true
    },
    found(own, captured, reason) {
      const { created, modified, deleted } = captured.counts
      // The snapshot lists only a part of its changes; the history has all of them.
      if (created + modified + deleted > captured.changes.length) {
        const warn = (thrown: unknown) => ctx.log.warn(`The changes of ${run} could not be read.`, thrown)
        jobs.run(() => publishAll(captured, reason)).catch(warn)
        return
      }
      changes.take(own)
      publish(captured, reason)
    },
    settled: jobs.idle,
  }
}
