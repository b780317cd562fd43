import type { RunId } from '../../../model/ids.ts'
import { bestEffort } from '../../../primitives/best-effort.ts'
import { createTimer } from '../../../primitives/timers.ts'
import type { RunWork } from '../run-work.ts'
import { openFiles, type RunFiles } from './run-files.ts'

/** The files of a run count as its own for this long after the last message of its agent. ms. */
const QUIET_MS = 3_000

interface Open {
  readonly files: Promise<RunFiles>
  quietAt: number
}

/** The files that agents change after their runs: the history attributes these changes to the run before. */
export class FilesBetween {
  readonly #work: RunWork
  readonly #open = new Map<RunId, Open>()
  readonly #resting = createTimer({ ref: false })
  #closed: boolean

  constructor(work: RunWork) {
    this.#work = work
    this.#closed = work.recorder.view.run !== null
  }

  /** Number of runs whose files are watched. */
  get size(): number {
    return this.#open.size
  }

  /** Watches the files of runs from now on. While another run is under way, changes are that run's. */
  begin(): void {
    this.#closed = false
  }

  /**
   * The agent of a run has sent something. Null while another run of the session is under way, since the agent may only
   * speak. `writes`: Carrel writes for the agent, and that is its own at any time.
   * @param sinceEnd the run may have written ever since its end, and not only since now
   */
  async touch(run: RunId, { writes = false, sinceEnd = false } = {}): Promise<RunFiles | null> {
    if (this.#closed && !writes) return null
    if (this.#closed) this.#resting.start(QUIET_MS, () => void this.rest())
    const known = this.#open.get(run) ?? { files: this.#begin(run, sinceEnd), quietAt: 0 }
    known.quietAt = this.#work.ctx.now() + QUIET_MS
    this.#open.set(run, known)
    try {
      return await known.files
    } catch (thrown) {
      // The folder is gone, or cannot be read: the next run of the session says so.
      this.#work.ctx.log.warn(`The files of ${run} cannot be watched after its end.`, thrown)
      this.#open.delete(run)
      return null
    }
  }

  /**
   * Notes whether the agent of a run has work in the background. Then its run may write, and people may too: nobody can
   * tell such changes apart, so they need a person's word.
   */
  async goesOn(run: RunId, atWork: boolean): Promise<void> {
    if (atWork) await this.touch(run, { sinceEnd: true })
    // `touch` has logged why the files are not watched.
    else (await this.#open.get(run)?.files.catch(() => null))?.changed()
  }

  /** Carrel has written for the agent of a run. Beside another run, this is all that counts as its work. */
  async wrote(run: RunId): Promise<void> {
    const open = this.#open.get(run)
    if (this.#closed && open) await this.#end([[run, open]])
  }

  async #begin(run: RunId, sinceEnd: boolean): Promise<RunFiles> {
    const { lastRun } = this.#work.recorder.view
    // A sign of the agent does not prove that nobody else writes.
    const since = sinceEnd && lastRun?.id === run ? lastRun.endedAt : this.#work.ctx.now()
    const files = await openFiles(this.#work, { id: run, startedAt: 0 }, 'after')
    await files.begin(since)
    await files.begun()
    return files
  }

  /** Takes a last snapshot for each run whose agent has become quiet. */
  async rest(): Promise<void> {
    const now = this.#work.ctx.now()
    await this.#end([...this.#open].filter(([, { quietAt }]) => quietAt <= now))
  }

  /** Takes the last snapshots, before a run begins or the session rests. */
  async end(): Promise<void> {
    this.#closed = true
    await this.#end([...this.#open])
  }

  /** Gives everything up. */
  leave(): void {
    this.#closed = true
    this.#resting.stop()
    for (const { files } of this.#open.values()) void bestEffort(files.then((opened) => opened.leave()))
    this.#open.clear()
  }

  async #end(all: readonly (readonly [RunId, Open])[]): Promise<void> {
    for (const [run, { files }] of all) {
      this.#open.delete(run)
      await bestEffort(files.then((opened) => opened.end('parked')))
    }
  }
}
