import { FilePath, type Writer } from '../../model/history.ts'
import type { RunId } from '../../model/ids.ts'
import type { Look } from './history.ts'
import type { JoinedLook } from './record.ts'

/** From the nearest to the farthest. */
const REACHES = ['hints', 'imported', 'everything'] as const satisfies readonly Look['at'][]

/** Several looks at one place as one: it looks wherever one of them does, and knows all runs that any of them knew. */
export function joined(looks: readonly Look[]): JoinedLook {
  const [first] = looks as readonly [Look, ...Look[]]
  const writers = new Map<RunId, Writer>()
  for (const writer of looks.flatMap((look) => look.writers)) {
    const before = writers.get(writer.run)
    writers.set(writer.run, before ? { ...before, named: [...before.named, ...writer.named] } : writer)
  }
  return {
    at: REACHES.findLast((reach) => looks.some(({ at }) => at === reach)) ?? 'hints',
    // What agents name need not be inside the place, or a path at all.
    paths: [...new Set<FilePath>(looks.flatMap(({ paths }) => paths))].filter(
      (path) => FilePath.safeParse(path).success,
    ),
    reason: first.reason,
    writers: [...writers.values()],
    unwatched: looks.some(({ unwatched }) => unwatched),
    marks: looks.flatMap(({ mark }) => (mark ? [mark] : [])),
    act: looks.find(({ act }) => act)?.act,
    now: first.now,
  }
}
