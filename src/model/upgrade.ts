import { z } from 'zod'
import { CarrelError } from './errors.ts'
import { Millis } from './ids.ts'
import { sizeWords } from './sizes.ts'

/** Something that a preflight found. */
export interface UpgradeFinding {
  /** `block` refuses the upgrade, `stop` names a node that has to stop first, `note` is only said. */
  readonly level: 'block' | 'stop' | 'note'
  readonly kind: 'space' | 'collision' | 'duplicate' | 'misfit' | 'node' | 'copy' | 'damage' | 'trial'
  /** A sentence. */
  readonly text: string
  /** A sentence that says what to do; null where nothing has to be done. */
  readonly next: string | null
}

/** The room that an upgrade takes on one file system. Bytes. */
export interface UpgradeRoom {
  /** A folder on that file system. */
  readonly where: string
  readonly neededBytes: number
  /** null where it cannot be known from here. */
  readonly freeBytes: number | null
}

/** The result of a preflight; nothing was changed for it. */
export interface UpgradeReport {
  /** `new`: there is no data yet. `current`: nothing to upgrade. */
  readonly state: 'new' | 'current' | 'ready' | 'stop first' | 'blocked'
  readonly engine: 'sqlite' | 'postgres'
  /** A path, or a Postgres address without user and password. */
  readonly location: string
  /** The version of this Carrel. */
  readonly carrel: string
  readonly schema: { readonly data: number; readonly known: number }
  /** Migrations that are to be done, in their order. */
  readonly steps: readonly { readonly name: string; readonly summary: string }[]
  readonly room: readonly UpgradeRoom[]
  /** Estimated from a sample, in milliseconds; null where it could not be measured. */
  readonly estimate: { readonly copyMs: number; readonly migrateMs: number; readonly sampleRows: number } | null
  /** Tables that nobody can read or write meanwhile; empty where nothing is to be done. */
  readonly locked: readonly string[]
  readonly findings: readonly UpgradeFinding[]
}

export function stateOf(findings: readonly UpgradeFinding[]): 'ready' | 'stop first' | 'blocked' {
  if (findings.some(({ level }) => level === 'block')) return 'blocked'
  return findings.some(({ level }) => level === 'stop') ? 'stop first' : 'ready'
}

/**
 * Refuses an upgrade that has findings of the levels `block` or `stop`.
 * @throws unavailable with all of them in words, and in `data`
 */
export function refuseFindings(from: number, to: number, findings: readonly UpgradeFinding[]): void {
  const against = findings.filter(({ level }) => level !== 'note')
  if (against.length === 0) return
  const words = against.map(({ text, next }) => (next === null ? text : `${text} ${next}`)).join(' ')
  const refused = from === 0 ? 'Carrel made no tables' : `The data was not upgraded from schema ${from} to ${to}`
  throw new CarrelError('unavailable', `${refused}, and nothing was changed. ${words}`, { from, to, findings: against })
}

/** Room that even an empty database takes while it is upgraded. Bytes. */
const LEAST_ROOM = 4_194_304

/**
 * The most room that a migration of SQLite takes: the pages of tables that are written anew stand in the write-ahead
 * log first, and then at the end of the file. Bytes.
 */
export const roomToMigrate = (rewrittenBytes: number): number => 2 * rewrittenBytes + LEAST_ROOM

/** Says where there is less room than needed. */
export function findRoom(room: readonly UpgradeRoom[]): UpgradeFinding[] {
  return room.flatMap(({ where, neededBytes, freeBytes }) => {
    if (freeBytes === null || freeBytes >= neededBytes) return []
    return [
      {
        level: 'block',
        kind: 'space',
        text: `The disk of ${where} has ${sizeWords(freeBytes)} free, and the upgrade needs up to ${sizeWords(neededBytes)} there.`,
        next: `Free ${sizeWords(neededBytes - freeBytes)} on that disk.`,
      } satisfies UpgradeFinding,
    ]
  })
}

/** Adds up what is needed in folders of one file system. `device` names the file system of a folder. */
export function joinRoom(room: readonly (UpgradeRoom & { readonly device: number })[]): UpgradeRoom[] {
  return [...Map.groupBy(room, ({ device }) => device).values()].map((same) => ({
    where: same[0]?.where ?? '',
    neededBytes: same.reduce((sum, { neededBytes }) => sum + neededBytes, 0),
    freeBytes: same[0]?.freeBytes ?? null,
  }))
}

/**
 * Estimates how long all rows take from how long a sample took. `fixedMs` is what migrations take without any row.
 * Milliseconds.
 */
export function scaleSample(sample: {
  readonly fixedMs: number
  readonly sampleMs: number
  readonly sampleRows: number
  readonly rows: number
}): number {
  const { fixedMs, sampleMs, sampleRows, rows } = sample
  if (sampleRows === 0) return fixedMs
  return fixedMs + (Math.max(0, sampleMs - fixedMs) * rows) / sampleRows
}

/** How many copies stay. */
export const COPIES_KEPT = 3
/** How many of them may be of one schema, so that tries that fail do not push out an older one. */
const KEPT_OF_ONE_SCHEMA = 2

/** The facts of a copy from before an upgrade, or from before going back. */
export const CopyManifest = z.object({
  format: z.literal(1),
  engine: z.enum(['sqlite', 'postgres']),
  carrel: z.string(),
  schema: z.number().int().min(1),
  at: Millis,
  reason: z.enum(['upgrade', 'back']),
  /** Where the data was: a path, or a Postgres address without user and password, and its schema. */
  source: z.string(),
  file: z.enum(['carrel.db', 'carrel.pgdump']),
  bytes: z.number().int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Rows of each table. */
  counts: z.record(z.string(), z.number().int()),
  /** The major version of the `pg_dump` that made it; null on SQLite. */
  toolMajor: z.number().int().nullable(),
})
export type CopyManifest = z.infer<typeof CopyManifest>

/** `2026-11-24T10-15-30-123Z-schema-9`: sorts in time, and is a name on every file system. */
export const copyName = (at: number, schema: number): string =>
  `${new Date(at).toISOString().replace(/[:.]/g, '-')}-schema-${schema}`

/** The names of copies that go when a new one has been made. `needed` are names that never go. */
export function copiesToRemove(
  copies: readonly { readonly name: string; readonly at: number; readonly schema: number }[],
  needed: readonly string[],
): string[] {
  const isNeeded = ({ name }: { readonly name: string }) => needed.includes(name)
  const kept = copies.filter(isNeeded)
  for (const copy of copies.filter((each) => !isNeeded(each)).toSorted((a, b) => b.at - a.at)) {
    const same = kept.filter(({ schema }) => schema === copy.schema).length
    if (kept.length < COPIES_KEPT && same < KEPT_OF_ONE_SCHEMA) kept.push(copy)
  }
  return copies.filter((copy) => !kept.includes(copy)).map(({ name }) => name)
}

/** Counts of rows that were written since a copy was made. Going back to the copy loses all of them. */
export const RollbackLoss = z.object({
  workspaces: z.number().int(),
  spaces: z.number().int(),
  projects: z.number().int(),
  sessions: z.number().int(),
  /** Sessions of before that went on since. */
  sessionsChanged: z.number().int(),
  events: z.number().int(),
  prompts: z.number().int(),
  runs: z.number().int(),
  /** Questions that were asked or answered. */
  questions: z.number().int(),
  rules: z.number().int(),
  secrets: z.number().int(),
  /** Scopes whose environment settings changed. */
  settings: z.number().int(),
})
export type RollbackLoss = z.infer<typeof RollbackLoss>

const LOSS_WORDS: Readonly<Record<keyof RollbackLoss, readonly [one: string, many: string]>> = {
  workspaces: ['new workspace', 'new workspaces'],
  spaces: ['new Space', 'new Spaces'],
  projects: ['new project', 'new projects'],
  sessions: ['new session', 'new sessions'],
  sessionsChanged: ['session that went on since', 'sessions that went on since'],
  events: ['event', 'events'],
  prompts: ['prompt', 'prompts'],
  runs: ['run', 'runs'],
  questions: ['question asked or answered', 'questions asked or answered'],
  rules: ['new rule', 'new rules'],
  secrets: ['secret put or changed', 'secrets put or changed'],
  settings: ['scope with changed environment settings', 'scopes with changed environment settings'],
}

/** One phrase for each kind of which something would be lost; empty where nothing would. */
export function lossWords(loss: RollbackLoss): string[] {
  return (Object.keys(LOSS_WORDS) as (keyof RollbackLoss)[]).flatMap((kind) => {
    const count = loss[kind]
    return count === 0 ? [] : [`${count} ${LOSS_WORDS[kind][count === 1 ? 0 : 1]}`]
  })
}
