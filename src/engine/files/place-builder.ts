import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MakePlace, Places } from '../../host/places/place.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { ProjectId } from '../../model/ids.ts'
import type { Project, ProjectPlace } from '../../model/tree.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Store } from '../../store/store.ts'
import type { Leases } from '../leases.ts'
import type { Log } from '../log.ts'
import type { ProjectPlaces } from './project-places.ts'

export type PlaceRequest = Pick<MakePlace, 'branch' | 'start' | 'include' | 'setup' | 'driver'>

interface Parts {
  readonly store: Store
  readonly leases: Leases
  readonly places: () => Promise<Places>
  readonly projectPlaces: ProjectPlaces
  readonly dataFolder: string
  readonly now: () => number
  readonly log: Log
}

/** Builds places in the background. The progress of each is in the row of its project. */
export class PlaceBuilder {
  readonly #parts: Parts
  readonly #building = new Map<ProjectId, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  begin(project: Project, source: string, request: PlaceRequest): void {
    const { log } = this.#parts
    const task = this.#build(project, source, request)
      .catch((thrown) => this.#fail(project, asCarrelError(thrown).message))
      .catch((thrown) => log.warn(`The state of the place of ${project.id} could not be written.`, thrown))
      .finally(() => this.#building.delete(project.id))
    this.#building.set(project.id, task)
  }

  /** Resolves when the place is built or has failed; at once where this node is not building it. Never rejects. */
  async done(project: ProjectId): Promise<void> {
    await this.#building.get(project)
  }

  /** Marks places of a machine as failed whose builder is gone: no process holds their lease. */
  async failAbandoned(machine: string): Promise<void> {
    const { store, leases } = this.#parts
    for (const { workspace, id } of await store.machines.spaces(machine)) {
      for (const project of await store.tree.projects(workspace, id)) {
        if (project.place.state !== 'making' || this.#building.has(project.id)) continue
        const lease = await leases.acquire(leaseOf(project))
        if (!lease) continue
        await this.#fail(project, 'The server ended while it was being made.')
        await lease.release()
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#building.values())
  }

  async #build(project: Project, source: string, request: PlaceRequest): Promise<void> {
    const { leases, places, projectPlaces, dataFolder } = this.#parts
    const kind = project.place.kind === 'overlay' ? 'overlay' : 'worktree'
    const lease = await leases.acquire(leaseOf(project))
    try {
      const parent = join(dataFolder, 'places')
      await mkdir(parent, { recursive: true, mode: 0o700 })
      const writes = createSerial()
      const onProgress = (note: string) => {
        // A note of the progress that cannot be written is dropped.
        writes.run(() => this.#write(project, { ...project.place, note })).catch(() => undefined)
      }
      const target = { kind, id: project.id, source, parent } as const
      const options = { ...request, ...target, signal: this.#closing.signal, onProgress }
      const record = await (await places()).make(options)
      await writes.idle()
      const { path, driver, git, notes } = record
      const note = notes.length > 0 ? notes.join(' ') : null
      const ready = { kind, path, state: 'ready', driver, branch: git?.branch ?? null, note } as const
      const made = await this.#write(project, ready, record)
      // The history begins before the first run, so that the first snapshot is the state in which its work began.
      await projectPlaces.follow(await projectPlaces.open(made), 'work')
    } finally {
      await lease?.release()
    }
  }

  async #fail(project: Project, note: string): Promise<void> {
    await this.#write(project, { ...project.place, state: 'failed', note })
  }

  async #write(project: Project, place: ProjectPlace, record?: unknown): Promise<Project> {
    const { store, now } = this.#parts
    const change = record === undefined ? { place } : { place, record }
    return await store.tree.setPlace(project.workspace, project.id, change, now())
  }
}

/** Held while a place is built, so that other nodes see that a builder is at work. */
const leaseOf = ({ id }: Project) => `place:${id}`
