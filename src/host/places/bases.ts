import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { onAbort, untilAborted } from '../../primitives/on-abort.ts'
import { programFile } from '../../primitives/programs.ts'
import { type Freezing, type FromFreezer, type Frozen, UNFINISHED } from './freezer.ts'
import { clearRemovals, removeFolder } from './removal.ts'

/** Frozen folders below views. Worker threads walk and copy. */
export type Bases = ReturnType<typeof createBases>

interface Wait {
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

/** One freeze for all its waiters; it is stopped when the last one leaves. */
interface Shared {
  readonly done: Promise<Frozen>
  readonly waiting: Set<Wait>
  begun: boolean
}

export function createBases() {
  const lasts = new Map<string, Shared>()

  const begin = (ask: { source: string; bases: string }, before: Shared | undefined): Shared => {
    const off = new AbortController()
    const waiting = new Set<Wait>()
    const work = async () => {
      // Freezes of one folder are serial, so that the later one finds the result of the earlier.
      await before?.done.catch(() => undefined)
      shared.begun = true
      await mkdir(ask.bases, { recursive: true, mode: 0o700 })
      return await runFreezer<Frozen>(ask, {
        signal: off.signal,
        onProgress: (text) => {
          for (const one of waiting) one.onProgress(text)
          if (waiting.size === 0) off.abort()
        },
      })
    }
    const shared: Shared = { done: Promise.resolve().then(work), waiting, begun: false }
    shared.done.catch(() => undefined).then(() => lasts.get(ask.source) === shared && lasts.delete(ask.source))
    return shared
  }

  return {
    /** Freezes a folder in its state at the call or later. Concurrent callers share one freeze. */
    async freeze(source: string, bases: string, wait: Wait): Promise<Frozen> {
      const last = lasts.get(source)
      // A freeze under way may have passed a path that changed just now.
      const shared = last && !last.begun ? last : begin({ source, bases }, last)
      lasts.set(source, shared)
      shared.waiting.add(wait)
      try {
        return await untilAborted(shared.done, wait.signal)
      } finally {
        shared.waiting.delete(wait)
      }
    },
    /** Makes a plain copy, with a list of its content. */
    copy: (source: string, to: { copy: string; list: string }, wait: Wait): Promise<Frozen> =>
      runFreezer({ source, ...to }, wait),
    /** Returns the paths of such a copy that changed since. */
    changedInCopy: (copy: string, list: string): Promise<readonly string[]> =>
      runFreezer({ changedIn: copy, list }, { signal: new AbortController().signal, onProgress: () => undefined }),
  }
}

/** Removes bases without a view. Call it only while none is being made. */
export async function sweepBases(bases: string, used: ReadonlySet<string>): Promise<void> {
  await clearRemovals(bases)
  for (const name of (await absentAsNull(readdir(bases))) ?? []) {
    const base = join(bases, name)
    if (name.startsWith(UNFINISHED) || !used.has(base)) await removeFolder(base)
  }
}

async function runFreezer<Done extends Frozen | readonly string[]>(
  ask: Freezing,
  { signal, onProgress }: Wait,
): Promise<Done> {
  signal.throwIfAborted()
  const file = programFile('freezer', new URL('./freezer.ts', import.meta.url))
  const worker = new Worker(file, { workerData: { carrelFreezing: ask } })
  const stop = onAbort(signal, () => void worker.terminate())
  try {
    return await new Promise<Done>((resolve, reject) => {
      worker.on('message', (message: FromFreezer) => {
        if ('progress' in message) onProgress(message.progress)
        else resolve(message.done as Done)
      })
      worker.once('error', reject)
      worker.once('exit', () => reject(signal.aborted ? signal.reason : new Error('The freezing thread ended early.')))
    })
  } finally {
    stop()
    await worker.terminate()
  }
}
