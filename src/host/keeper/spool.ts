import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Exit } from '../process/process.ts'

/** Frame of the protocol; `in` comes from the agent. Both directions share one count, from 1. */
export interface Frame {
  readonly no: number
  readonly dir: 'in' | 'out'
  /** Tag that the server gave to its own frame, to recognize it later; empty for all others. */
  readonly tag: string
  readonly line: string
}

/** State of a connection whose frames up to `upTo` are recorded. The server alone defines the state. */
export interface Checkpoint {
  readonly upTo: number
  readonly state: unknown
}

const PIECE_BYTES = 65_536
const NAME = /^spool-(\d+)$/

/**
 * Frames of one agent on disk, each written before it is passed on; a restarted server reads them. Checkpoints bound
 * the size: they drop recorded frames. Writes are not synced, so they survive the death of processes, not of the
 * machine.
 *
 * Format of a file `spool-<k>`, one line each: `c{checkpoint}`, `i<no> <frame>`, `o<no>[@tag] <frame>`, `x{exit}`. A
 * torn last line was never passed on and does not count.
 */
export class Spool {
  /** Number of the last frame; 0 before the first. */
  head = 0
  checkpoint: Checkpoint | null = null
  readonly #folder: string
  #number = 1
  #path: string
  #fd: number
  #size = 0
  /** First frame of this file, and the start of each frame's line from there on. */
  #first = 1
  #starts: number[] = []

  constructor(folder: string) {
    this.#folder = folder
    this.#path = join(folder, `spool-${this.#number}`)
    this.#fd = openSync(this.#path, 'a+', 0o600)
  }

  /** Bytes since the last checkpoint. */
  get bytes(): number {
    return this.#size
  }

  /** Stores frames. Where the disk has no room, nothing is stored, and the call may be repeated. @throws ENOSPC */
  append(dir: Frame['dir'], lines: readonly string[], tag = ''): Frame[] {
    const frames = lines.map((line, index): Frame => ({ no: this.head + 1 + index, dir, tag, line }))
    const stored = frames.map(written)
    const at = this.#size
    this.#write(stored.join(''))
    this.#index(stored, at)
    this.head += frames.length
    return frames
  }

  /** Yields stored lines of frames after `no`, oldest first, in pieces of about 64 KiB. */
  *after(no: number): Generator<string> {
    const from = this.#starts[Math.max(0, no + 1 - this.#first)]
    if (from === undefined) return
    const end = this.#size
    let rest = Buffer.alloc(0)
    for (let at = from; at < end; ) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, end - at))
      const read = readSync(this.#fd, piece, 0, piece.length, at)
      if (read === 0) return
      at += read
      const all = Buffer.concat([rest, piece.subarray(0, read)])
      const whole = all.lastIndexOf(10) + 1
      rest = all.subarray(whole)
      if (whole > 0) yield all.toString('utf8', 0, whole)
    }
  }

  /** Begins a new file with `checkpoint` and the frames after it. After an error, the present file stays. */
  mark(checkpoint: Checkpoint): void {
    const left = [...this.after(checkpoint.upTo)].join('')
    const begin = `c${JSON.stringify(checkpoint)}\n`
    const before = { fd: this.#fd, path: this.#path }
    const path = join(this.#folder, `spool-${this.#number + 1}`)
    const fd = openSync(`${path}.new`, 'a+', 0o600)
    try {
      writeWhole(fd, Buffer.from(begin + left))
      fsyncSync(fd)
      renameSync(`${path}.new`, path)
    } catch (thrown) {
      closeSync(fd)
      rmSync(`${path}.new`, { force: true })
      throw thrown
    }
    this.#number += 1
    this.checkpoint = checkpoint
    this.#path = path
    this.#fd = fd
    this.#size = Buffer.byteLength(begin) + Buffer.byteLength(left)
    this.#first = checkpoint.upTo + 1
    this.#starts = []
    this.#index(
      left.split(/(?<=\n)/).filter((line) => line !== ''),
      Buffer.byteLength(begin),
    )
    closeSync(before.fd)
    rmSync(before.path, { force: true })
  }

  end(exit: Exit): void {
    this.#write(`x${JSON.stringify(exit)}\n`)
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** Notes the starts of lines, the first of which is at `from`. */
  #index(lines: readonly string[], from: number): void {
    let at = from
    for (const line of lines) {
      this.#starts.push(at)
      at += Buffer.byteLength(line)
    }
  }

  #write(text: string): void {
    const bytes = Buffer.from(text)
    try {
      writeWhole(this.#fd, bytes)
    } catch (thrown) {
      // A part of a line would spoil the next one.
      ftruncateSync(this.#fd, this.#size)
      throw thrown
    }
    this.#size += bytes.length
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}

/** Returns a frame as in the spool and on the wire, with its line end. */
export const written = ({ no, dir, tag, line }: Frame): string =>
  `${dir === 'in' ? 'i' : 'o'}${no}${tag === '' ? '' : `@${tag}`} ${line}\n`

/** Reads a line of the spool or the wire; null for another kind of line. */
export function readFrame(text: string): Frame | null {
  const found = /^([io])(\d+)(?:@(\S+))? /.exec(text)
  if (!found) return null
  const [head, dir, no, tag = ''] = found
  return { no: Number(no), dir: dir === 'i' ? 'in' : 'out', tag, line: text.slice(head.length) }
}

export interface SpoolContent {
  readonly checkpoint: Checkpoint | null
  readonly frames: readonly Frame[]
  /** Exit of the agent, if its keeper saw it. */
  readonly exit: Exit | null
}

/** Reads the spool of a dead keeper; null without one. */
export function readSpool(folder: string): SpoolContent | null {
  const newest = readdirSync(folder)
    .map((name) => Number(NAME.exec(name)?.[1] ?? 0))
    .reduce((most, each) => Math.max(most, each), 0)
  if (newest === 0) return null
  const lines = readFileSync(join(folder, `spool-${newest}`), 'utf8').split('\n')
  // The text after the last line end is empty or torn.
  lines.pop()
  let checkpoint: Checkpoint | null = null
  let exit: Exit | null = null
  const frames: Frame[] = []
  for (const line of lines) {
    const frame = readFrame(line)
    if (frame) frames.push(frame)
    else if (line.startsWith('c')) checkpoint = JSON.parse(line.slice(1)) as Checkpoint
    else if (line.startsWith('x')) exit = JSON.parse(line.slice(1)) as Exit
  }
  return { checkpoint, frames, exit }
}
