import { NAMED_PATHS, type Note } from '../../model/events/events.ts'
import type { Writer } from '../../model/files/authorship.ts'
import type { Change, FilePath } from '../../model/files/history.ts'
import type { RunId, SessionId, SpaceId } from '../../model/ids.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Log } from '../log.ts'
import type { SpaceLocks } from './space-locks.ts'

/** Longest time between two changes of one path that counts as a conflict of their runs. ms. */
const WINDOW_MS = 600_000

/** Detects two sessions at work that change the same path, and notes it in both while both can still react. */
export interface ConflictWatch {
  /** @param active runs that are still at work */
  see(changes: readonly Change[], writers: readonly Writer[], active: readonly RunId[]): void
  forget(run: RunId): void
  /** Resolves when all notes are written. */
  idle(): Promise<void>
}

interface Parts {
  readonly spaceLocks: SpaceLocks
  readonly now: () => number
  readonly log: Log
}

interface Side {
  readonly run: RunId
  readonly session: SessionId
}

interface Pair {
  readonly sides: readonly [Side, Side]
  readonly paths: FilePath[]
}

export function createConflictWatch(place: string, space: SpaceId, { spaceLocks, now, log }: Parts): ConflictWatch {
  const touched = new Map<FilePath, Map<RunId, Side & { at: number }>>()
  const noted = new Set<string>()
  const notes = createSerial()

  const note = ([one, two]: Pair['sides'], paths: readonly FilePath[]) => {
    const fresh = paths.filter((path) => !noted.has(keyOf(one, two, path)))
    if (fresh.length === 0) return
    for (const path of fresh) noted.add(keyOf(one, two, path))
    const noteFor = (side: Side, { session, run }: Side): { session: SessionId; note: Note } => {
      const data = { place, paths: fresh.slice(0, NAMED_PATHS), other: { session, run } }
      return { session: side.session, note: { type: 'files.conflicted', run: side.run, data } }
    }
    notes
      .run(() => spaceLocks.note({ space, notes: [noteFor(one, two), noteFor(two, one)] }))
      .catch((thrown) => log.warn(`The conflict of two sessions in ${place} could not be noted.`, thrown))
  }

  const touch = (path: FilePath, side: Side, active: readonly RunId[]): Side[] => {
    const known = touched.get(path) ?? new Map<RunId, Side & { at: number }>()
    touched.set(path, known)
    const others = [...known.values()].filter(
      ({ run, session, at }) =>
        run !== side.run && active.includes(run) && session !== side.session && now() - at <= WINDOW_MS,
    )
    known.set(side.run, { run: side.run, session: side.session, at: now() })
    return others
  }

  return {
    see(changes, writers, active) {
      const pairs = new Map<string, Pair>()
      for (const change of changes) {
        if (change.after?.kind === 'folder' || (change.after === null && change.before?.kind === 'folder')) continue
        for (const side of sidesOf(change, writers)) {
          for (const other of touch(change.path, side, active)) {
            const key = [side.run, other.run].sort().join(' ')
            const pair = pairs.get(key) ?? { sides: [side, other], paths: [] }
            pairs.set(key, pair)
            pair.paths.push(change.path)
          }
        }
      }
      for (const { sides, paths } of pairs.values()) note(sides, paths)
    },
    forget(run) {
      for (const [path, known] of touched) {
        known.delete(run)
        if (known.size === 0) touched.delete(path)
      }
    },
    idle: notes.idle,
  }
}

function sidesOf({ author, path }: Change, writers: readonly Writer[]): Side[] {
  if (author.kind === 'run') return [author]
  if (author.kind !== 'unknown') return []
  return writers.filter(({ named }) => named.includes(path))
}

const keyOf = (one: Side, two: Side, path: FilePath) => `${[one.run, two.run].sort().join(' ')} ${path}`
