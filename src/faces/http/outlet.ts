import type { ServerResponse } from 'node:http'

export interface OutletLimits {
  /** So much may wait here for the socket; then nothing more is fetched. Bytes. */
  readonly bufferBytes: number
  /** A reader that takes nothing for this long is cut off; it resumes where it was. ms. */
  readonly stallMs: number
  /** Something is said at least this often, so that both ends learn of a dead line. ms. */
  readonly heartbeatMs: number
}

export const OUTLET_LIMITS: OutletLimits = { bufferBytes: 65_536, stallMs: 60_000, heartbeatMs: 15_000 }

/**
 * The writing end of one stream: many frames in one write, and no more than `bufferBytes` waiting (L8). Whoever
 * fills it awaits `room()` after each frame; while the reader does not read, that does not resolve.
 */
export interface Outlet {
  push(frame: string): void
  /** Null while there is room for another frame, else resolves when there is, or when the stream is over. */
  room(): Promise<void> | null
  /** Bytes that wait here and in the socket's own buffer. */
  waiting(): number
  /** Writes what waits, and ends. */
  end(): void
}

export function createOutlet(response: ServerResponse, limits: OutletLimits): Outlet {
  let frames: string[] = []
  let held = 0
  let scheduled: NodeJS.Immediate | null = null
  let drained: Promise<void> | null = null

  const flush = () => {
    scheduled = null
    if (frames.length === 0 || response.destroyed) return
    const bytes = frames.length === 1 ? (frames[0] as string) : frames.join('')
    frames = []
    held = 0
    if (response.write(bytes)) return
    drained = waitForDrain(response, limits.stallMs).then(() => {
      drained = null
    })
  }
  const makeRoom = async () => {
    await drained
    flush()
    await drained
  }
  const heartbeat = setInterval(() => {
    if (drained === null && !response.destroyed) response.write(': still here\n\n')
  }, limits.heartbeatMs)
  response.once('close', () => {
    clearInterval(heartbeat)
    if (scheduled) clearImmediate(scheduled)
    frames = []
    held = 0
  })

  return {
    push(frame) {
      frames.push(frame)
      held += Buffer.byteLength(frame)
      // Frames that come in the same turn of the event loop leave in one write.
      if (drained === null) scheduled ??= setImmediate(flush)
    },
    room: () => (held < limits.bufferBytes && drained === null ? null : makeRoom()),
    waiting: () => held + response.writableLength,
    end() {
      if (drained === null) flush()
      response.end()
    },
  }
}

/** Resolves when the reader read on or went away; sends it away when it does neither for too long. */
function waitForDrain(response: ServerResponse, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(() => response.destroy(), stallMs)
    response.once('drain', done)
    response.once('close', done)
  })
}
