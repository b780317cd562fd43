import { readdirSync, readlinkSync } from 'node:fs'
import { commandOf, descendantsOf, type LiveTree } from './live-tree.ts'

/** Pipe of a command, seen from the command. */
export type Pipe = 'input' | 'output'

interface Watched {
  readonly pipe: Pipe
  /** Name of its end in `/proc`. */
  readonly link: string
  /** Entry in `/proc` where it was found last. */
  at: string | null
}

/**
 * Watches whether a command still has its stdin and stdout. Wrappers hold both pipes open, so that no end of file comes
 * when the command closes one and lives on. Call it right after the start, when the wrapper has both. Linux only.
 * The returned function names the pipe that no process of the command has; null also when that cannot be known.
 */
export function watchPipes(live: LiveTree): () => Promise<Pipe | null> {
  const watched = (['input', 'output'] as const).flatMap((pipe, fd): Watched[] => {
    const link = linkAt(`/proc/${live.identity.pid}/fd/${fd}`)
    return link === null ? [] : [{ pipe, link, at: null }]
  })
  return async () => {
    const missing = watched.filter(({ at, link }) => at === null || linkAt(at) !== link)
    if (missing.length === 0) return null
    const held = await heldBy(live)
    if (held === null) return null
    for (const one of missing) one.at = held.get(one.link) ?? null
    return missing.find(({ at }) => at === null)?.pipe ?? null
  }
}

/** Returns the open files of a command and of its processes; null when one of them cannot be read, or none is there. */
async function heldBy(live: LiveTree): Promise<Map<string, string> | null> {
  const command = await commandOf(live)
  if (!command) return null
  const held = new Map<string, string>()
  for (const { pid } of [...(await descendantsOf(live)), command]) {
    const folder = `/proc/${pid}/fd`
    const files = orUnknown(() => readdirSync(folder))
    if (!files) return null
    for (const file of files) {
      const link = linkAt(`${folder}/${file}`)
      if (link !== null) held.set(link, `${folder}/${file}`)
    }
  }
  return held
}

const linkAt = (path: string): string | null => orUnknown(() => readlinkSync(path))

/** Null for every error: the process may have ended, or belong to somebody else. Neither is a closed pipe. */
function orUnknown<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
