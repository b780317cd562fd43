import { z } from 'zod'
import { CarrelError } from './errors.ts'
import { Millis } from './ids.ts'
import type { Space } from './tree.ts'

/** Has folders, and does the work in them. Its id belongs to its data folder. */
export const Machine = z.object({
  id: z.string(),
  /** Unique: by default the name of the host. */
  name: z.string(),
  version: z.string(),
  /** Time at which it last said that it is there. */
  seenAt: Millis,
  /** Time of its clean stop; null while it runs, and after a crash. */
  leftAt: Millis.nullable(),
})
export type Machine = z.infer<typeof Machine>

/** Returns the time since which a machine is away; null while it is there. `ttlMs`: life of a lease. */
export function awaySince({ seenAt, leftAt }: Pick<Machine, 'seenAt' | 'leftAt'>, now: number, ttlMs: number) {
  return leftAt ?? (seenAt + ttlMs <= now ? seenAt : null)
}

/** The machine that a request waits for. */
export const Waits = z.object({
  machine: z
    .string()
    .nullable()
    .describe('Name of the machine; null: no machine has the Space, so a person must adopt it.'),
  since: Millis.nullable().describe('Time since which the machine is away; null while it is there.'),
})
export type Waits = z.infer<typeof Waits>

/** Returns a sentence for people about the machine that a prompt waits for. */
export function waitsText({ machine, since }: Waits, space: string): string {
  const adopt = `\`carrel spaces adopt ${space}\``
  if (machine === null)
    return `The prompt waits: no machine has its Space yet. Run ${adopt} on the machine with its folder.`
  if (since === null) return `The prompt waits for the machine ${machine}, which has its Space.`
  return `The prompt waits for the machine ${machine}, which is away since ${clockOf(since)}.`
}

const clockOf = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')

/** The answer of a node that is asked for something on the machine of a Space elsewhere (N2). */
export function elsewhere({ id, name }: Pick<Space, 'id' | 'name'>, waits: Waits): CarrelError {
  const { machine, since } = waits
  const adopt = `\`carrel spaces adopt ${id}\``
  const message =
    machine === null
      ? `No machine has the Space ${name} yet. Run ${adopt} on the machine with its folder.`
      : since === null
        ? `The Space ${name} is on the machine ${machine}, and this node cannot answer for it. Ask ${machine}.`
        : `${machine} is away since ${clockOf(since)}, and the Space ${name} is there. Start Carrel on ${machine}, or run ${adopt} here.`
  return new CarrelError('unavailable', message, { space: id, machine, since })
}
