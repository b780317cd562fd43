import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MakePlace, Places } from '../../host/places/place.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { ProjectId, WorkspaceId } from '../../model/ids.ts'
import type { Project, ProjectPlace } from '../../model/tree.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Store } from '../../store/store.ts'
import type { Leases } from '../leases.ts'
import type { Log } from '../log.ts'
import type { PlaceCare } from './place-care.ts'

/** How a place is asked for. */
export type PlaceWish = Pick<MakePlace, 'branch' | 'start' | 'include' | 'setup' | 'driver'>

/** Places that are being made, in the background; how far they are stands in their project's row. */
export interface Makings {
  begin(project: Project, source: string, wish: PlaceWish): void
  /** Resolves when it is made or has failed; at once where it is not being made here. */
  done(project: ProjectId): Promise<void>
  /** Says of places whose maker is gone that they are not there. */
  bury(): Promise<void>
  close(): Promise<void>
}

interface Parts {
  readonly store: Store
  readonly leases: Leases
  readonly places: () => Promise<Places>
  readonly care: PlaceCare
  readonly dataFolder: string
  readonly now: () => number
  readonly log: Log
}

export function createMakings({ store, leases, places, care, dataFolder, now, log }: Parts): Makings {
  const under = new Map<ProjectId, Promise<void>>()
  const closing = new AbortController()

  const show = async (project: Project, place: ProjectPlace, record?: unknown) =>
    await store.tree.setPlace(
      project.workspace,
      project.id,
      record === undefined ? { place } : { place, record },
      now(),
    )

  const make = async (project: Project, source: string, wish: PlaceWish): Promise<void> => {
    const kind = project.place.kind === 'overlay' ? 'overlay' : 'worktree'
    const lease = await leases.acquire(leaseOf(project))
    try {
      const parent = join(dataFolder, 'places')
      await mkdir(parent, { recursive: true, mode: 0o700 })
      const notes = createSerial()
      const onProgress = (note: string) => {
        notes.run(() => show(project, { ...project.place, note })).catch(() => undefined)
      }
      const ask = { ...wish, kind, id: project.id, source, parent, signal: closing.signal, onProgress } as const
      const record = await (await places()).make(ask)
      await notes.idle()
      const { path, driver, git } = record
      const note = record.notes.length > 0 ? record.notes.join(' ') : null
      const ready = { kind, path, state: 'ready', driver, branch: git?.branch ?? null, note } as const
      const made = await show(project, ready, record)
      // What is there before anybody works in it is where its work began.
      await care.follow(await care.open(made))
    } finally {
      await lease?.release()
    }
  }

  const fail = async (project: Project, note: string) => {
    await show(project, { ...project.place, state: 'failed', note })
  }

  return {
    begin(project, source, wish) {
      const task = make(project, source, wish)
        .catch((thrown) => fail(project, asCarrelError(thrown).message))
        .catch((thrown) => log.warn(`What became of the place of ${project.id} could not be written.`, thrown))
        .finally(() => under.delete(project.id))
      under.set(project.id, task)
    },
    done: async (project) => await under.get(project),
    async bury() {
      for (const { id } of await store.tree.workspaces()) {
        for (const project of await store.tree.projects(id as WorkspaceId)) {
          if (project.place.state !== 'making' || under.has(project.id)) continue
          const lease = await leases.acquire(leaseOf(project))
          if (!lease) continue
          await fail(project, 'The server ended while it was being made.')
          await lease.release()
        }
      }
    },
    async close() {
      closing.abort()
      await Promise.allSettled(under.values())
    },
  }
}

/** Held while a place is made, so that other nodes see that somebody does. */
const leaseOf = ({ id }: Project) => `place:${id}`
