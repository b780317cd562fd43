import type { ServerResponse } from 'node:http'
import { createPacer } from '../../primitives/pacer.ts'

export interface OutletLimits {
  /** Maximum bytes buffered for the socket; a full buffer pauses the source. Bytes. */
  readonly bufferBytes: number
  /** A reader that reads nothing for this long is disconnected; it can resume at its position. ms. */
  readonly stallMs: number
  /** Interval of heartbeats, by which both ends detect a dead connection. ms. */
  readonly heartbeatMs: number
}

export const OUTLET_LIMITS: OutletLimits = { bufferBytes: 65_536, stallMs: 60_000, heartbeatMs: 15_000 }

export type Outlet = ReturnType<typeof createOutlet>

/**
 * Creates the writing end of one stream, which batches frames into one write and buffers at most `bufferBytes` (L8).
 * The producer awaits `room()` after each frame, which does not resolve while the reader does not read.
 */
export function createOutlet(response: ServerResponse, limits: OutletLimits) {
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
    push(frame: string): void {
      frames.push(frame)
      held += Buffer.byteLength(frame)
      // Frames of the same turn of the event loop share one write.
      if (drained === null) scheduled ??= setImmediate(flush)
    },
    /** Returns null while there is room for a frame, else a promise of room or of the end of the stream. */
    room: (): Promise<void> | null => (held < limits.bufferBytes && drained === null ? null : makeRoom()),
    /** Returns the bytes buffered here and in the socket. */
    waiting: () => held + response.writableLength,
    /** Writes the buffered frames and ends the stream. */
    end(): void {
      if (drained === null) flush()
      response.end()
    },
  }
}

/** Resolves when the reader continues or disconnects; disconnects it after `stallMs`. */
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

/**
 * Writes the frame of each step; takes the next step only when the reader has room for it. A reader that is as fast as
 * the log leaves others their turn.
 */
export async function pump<T>(
  first: IteratorResult<T>,
  steps: Pick<AsyncIterator<T>, 'next'>,
  outlet: Outlet,
  frameOf: (value: T) => string,
): Promise<void> {
  const breathe = createPacer()
  for (let step = first; !step.done; step = await steps.next()) {
    outlet.push(frameOf(step.value))
    const turn = outlet.room() ?? breathe()
    if (turn) await turn
  }
}
