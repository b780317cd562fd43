import { NAMED_PATHS, type Note } from '../../model/events.ts'
import type { Change, FilePath, Writer } from '../../model/history.ts'
import type { RunId, SessionId, SpaceId } from '../../model/ids.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Log } from '../log.ts'
import type { SpaceKeeper } from './space-keeper.ts'

/** Two runs that change one path within this are in each other's way. ms. */
const WINDOW_MS = 600_000

/** Sees when two sessions at work change the same path, and tells both while it can still be helped. */
export interface Contention {
  /** @param active runs that are still at work */
  see(changes: readonly Change[], writers: readonly Writer[], active: readonly RunId[]): void
  forget(run: RunId): void
  idle(): Promise<void>
}

interface Parts {
  readonly spaces: SpaceKeeper
  readonly now: () => number
  readonly log: Log
}

interface Side {
  readonly run: RunId
  readonly session: SessionId
}

export function watchConflicts(place: string, space: SpaceId, { spaces, now, log }: Parts): Contention {
  /** Who changed a path lately, and when. */
  const touched = new Map<FilePath, Map<RunId, Side & { at: number }>>()
  const told = new Set<string>()
  const notes = createSerial()

  const tell = (one: Side, two: Side, paths: readonly FilePath[]) => {
    const fresh = paths.filter((path) => !told.has(keyOf(one, two, path)))
    if (fresh.length === 0) return
    for (const path of fresh) told.add(keyOf(one, two, path))
    const note = (mine: Side, { session, run }: Side): { session: SessionId; note: Note } => {
      const data = { place, paths: fresh.slice(0, NAMED_PATHS), other: { session, run } }
      return { session: mine.session, note: { type: 'files.conflicted', run: mine.run, data } }
    }
    notes
      .run(() => spaces.note({ space, notes: [note(one, two), note(two, one)] }))
      .catch((thrown) => log.warn(`Two sessions in ${place} could not be told that they change the same.`, thrown))
  }

  /** Those who wrote a change: its author, or all who named it. */
  const sidesOf = ({ author, path }: Change, writers: readonly Writer[]): Side[] => {
    if (author.kind === 'run') return [author]
    if (author.kind !== 'unknown') return []
    return writers.filter(({ named }) => named.includes(path))
  }

  return {
    see(changes, writers, active) {
      const pairs = new Map<string, { sides: [Side, Side]; paths: FilePath[] }>()
      for (const change of changes) {
        if (change.after?.kind === 'folder' || (change.after === null && change.before?.kind === 'folder')) continue
        for (const side of sidesOf(change, writers)) {
          const known = touched.get(change.path) ?? new Map<RunId, Side & { at: number }>()
          touched.set(change.path, known)
          for (const other of known.values()) {
            const both = other.run !== side.run && active.includes(other.run)
            if (!both || other.session === side.session || now() - other.at > WINDOW_MS) continue
            const key = [side.run, other.run].sort().join(' ')
            const pair = pairs.get(key) ?? { sides: [side, other], paths: [] }
            pairs.set(key, { ...pair, paths: [...pair.paths, change.path] })
          }
          known.set(side.run, { run: side.run, session: side.session, at: now() })
        }
      }
      for (const { sides, paths } of pairs.values()) tell(...sides, paths)
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

const keyOf = (one: Side, two: Side, path: FilePath) => `${[one.run, two.run].sort().join(' ')} ${path}`
