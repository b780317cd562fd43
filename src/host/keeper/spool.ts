import {
  closeSync,
  fsyncSync,
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

/** A frame of the protocol on its way: `in` is what the agent said. Both directions are counted together, from 1. */
export interface Frame {
  readonly no: number
  readonly dir: 'in' | 'out'
  /** What the server called a frame of its own, so that it knows it again; empty for all others. */
  readonly tag: string
  readonly line: string
}

/** What a server knew of a connection when it had recorded every frame up to `upTo`; the state is the server's own text. */
export interface Checkpoint {
  readonly upTo: number
  readonly state: unknown
}

/**
 * The frames of one agent on disk, each written before it is passed on: what a server that comes back reads. It is
 * bounded by checkpoints, which drop what a server has recorded. Written without waiting for the disk: it outlives the
 * death of processes, not of the machine.
 *
 * A file `spool-<k>`, one line each: `c{checkpoint}`, `i<no> <frame>`, `o<no>[@tag] <frame>`, `x{exit}`. A torn last line was
 * never passed on and does not count.
 */
export interface Spool {
  /** The number of the last frame; 0 before the first. */
  readonly head: number
  readonly checkpoint: Checkpoint | null
  /** Bytes since the last checkpoint. */
  readonly bytes: number
  append(dir: Frame['dir'], lines: readonly string[], tag?: string): Frame[]
  /** Stored lines of frames after `no`, oldest first, in pieces of about 64 KiB. */
  after(no: number): Generator<string>
  /** Begins a new file with `checkpoint` and the frames after it. */
  mark(checkpoint: Checkpoint): void
  end(exit: Exit): void
  close(): void
}

const PIECE_BYTES = 65_536
const NAME = /^spool-(\d+)$/

export function openSpool(folder: string): Spool {
  let file = 1
  let path = join(folder, `spool-${file}`)
  let fd = openSync(path, 'a+', 0o600)
  let head = 0
  let size = 0
  let checkpoint: Checkpoint | null = null
  /** Where the line of each frame begins, from frame `first` on. */
  let first = 1
  let starts: number[] = []

  const write = (text: string) => {
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    size += bytes.length
  }
  function* after(no: number): Generator<string> {
    const from = starts[Math.max(0, no + 1 - first)]
    if (from === undefined) return
    const end = size
    let rest = Buffer.alloc(0)
    for (let at = from; at < end; ) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, end - at))
      const read = readSync(fd, piece, 0, piece.length, at)
      if (read === 0) return
      at += read
      const all = Buffer.concat([rest, piece.subarray(0, read)])
      const whole = all.lastIndexOf(10) + 1
      rest = all.subarray(whole)
      if (whole > 0) yield all.toString('utf8', 0, whole)
    }
  }
  return {
    get head() {
      return head
    },
    get checkpoint() {
      return checkpoint
    },
    get bytes() {
      return size
    },
    append(dir, lines, tag = '') {
      const frames = lines.map((line, index): Frame => ({ no: head + 1 + index, dir, tag, line }))
      let at = size
      const texts = frames.map((frame) => {
        const text = written(frame)
        starts.push(at)
        at += Buffer.byteLength(text)
        return text
      })
      write(texts.join(''))
      head += frames.length
      return frames
    },
    after,
    mark(next) {
      const left = [...after(next.upTo)].join('')
      const before = { fd, path }
      file += 1
      path = join(folder, `spool-${file}`)
      fd = openSync(`${path}.new`, 'a+', 0o600)
      size = 0
      write(`c${JSON.stringify(next)}\n`)
      checkpoint = next
      first = next.upTo + 1
      starts = []
      let at = size
      for (const line of left.split('\n')) {
        if (line === '') continue
        starts.push(at)
        at += Buffer.byteLength(line) + 1
      }
      write(left)
      fsyncSync(fd)
      renameSync(`${path}.new`, path)
      closeSync(before.fd)
      rmSync(before.path, { force: true })
    },
    end: (exit) => write(`x${JSON.stringify(exit)}\n`),
    close: () => closeSync(fd),
  }
}

/** A frame as it stands in the spool and goes to a server, with its line end. */
export function written({ no, dir, tag, line }: Frame): string {
  return `${dir === 'in' ? 'i' : 'o'}${no}${tag === '' ? '' : `@${tag}`} ${line}\n`
}

/** Reads one line of a spool, or of the keeper's wire; null for another kind of line. */
export function readFrame(text: string): Frame | null {
  const found = /^([io])(\d+)(?:@(\S+))? /.exec(text)
  if (!found) return null
  const [head, dir, no, tag = ''] = found
  return { no: Number(no), dir: dir === 'i' ? 'in' : 'out', tag, line: text.slice(head.length) }
}

export interface Kept {
  readonly checkpoint: Checkpoint | null
  readonly frames: readonly Frame[]
  /** How the agent ended, where its keeper saw it. */
  readonly exit: Exit | null
}

/** What a keeper that is gone has left; null where there is no spool. */
export function readSpool(folder: string): Kept | null {
  const newest = readdirSync(folder)
    .map((name) => Number(NAME.exec(name)?.[1] ?? 0))
    .reduce((most, each) => Math.max(most, each), 0)
  if (newest === 0) return null
  const lines = readFileSync(join(folder, `spool-${newest}`), 'utf8').split('\n')
  // What stands behind the last line end is empty, or torn.
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
