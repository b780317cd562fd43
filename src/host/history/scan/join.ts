import type { Writer } from '../../../model/files/authorship.ts'
import { FilePath } from '../../../model/files/history.ts'
import type { RunId } from '../../../model/ids.ts'
import type { ScanRequest } from '../history.ts'
import type { JoinedScan } from './record.ts'

/** From the smallest to the largest scope. */
const REACHES = ['hints', 'imported', 'everything'] as const satisfies readonly ScanRequest['at'][]

/** Joins several scan requests for one place into one with the largest scope and all their runs. */
export function joined(scans: readonly ScanRequest[]): JoinedScan {
  const [first] = scans as readonly [ScanRequest, ...ScanRequest[]]
  const writers = new Map<RunId, Writer>()
  for (const writer of scans.flatMap((scan) => scan.writers)) {
    const before = writers.get(writer.run)
    writers.set(writer.run, before ? { ...before, named: [...before.named, ...writer.named] } : writer)
  }
  return {
    at: REACHES.findLast((reach) => scans.some(({ at }) => at === reach)) ?? 'hints',
    // Paths that agents name may lie outside of the place, or be no paths at all.
    paths: [...new Set<FilePath>(scans.flatMap(({ paths }) => paths))].filter(
      (path) => FilePath.safeParse(path).success,
    ),
    reason: first.reason,
    writers: [...writers.values()],
    marks: scans.flatMap(({ mark }) => (mark ? [mark] : [])),
    act: scans.find(({ act }) => act)?.act,
    now: first.now,
  }
}
