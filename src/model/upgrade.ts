import { z } from 'zod'
import { CarrelError } from './errors.ts'
import { Millis } from './ids.ts'
import { sizeWords } from './settings/sizes.ts'

export interface UpgradeFinding {
  /** `block`: refuses the upgrade. `stop`: a node must stop first. `note`: information only. */
  readonly level: 'block' | 'stop' | 'note'
  readonly kind: 'space' | 'collision' | 'duplicate' | 'misfit' | 'node' | 'copy' | 'damage' | 'trial'
  readonly text: string
  /** Next step as a sentence; null for none. */
  readonly next: string | null
}

/** Disk space that an upgrade needs on one file system. Bytes. */
export interface UpgradeRoom {
  /** A folder on that file system. */
  readonly where: string
  readonly neededBytes: number
  /** null when unknown. */
  readonly freeBytes: number | null
}

/** Result of a preflight check, which changes nothing. */
export interface UpgradeReport {
  /** `new`: no data exists yet. `current`: nothing to upgrade. */
  readonly state: 'new' | 'current' | 'ready' | 'stop first' | 'blocked'
  readonly engine: 'sqlite' | 'postgres'
  /** A path, or a Postgres address without user and password. */
  readonly location: string
  readonly carrel: string
  readonly schema: { readonly data: number; readonly known: number }
  readonly steps: readonly { readonly name: string; readonly summary: string }[]
  readonly room: readonly UpgradeRoom[]
  /** Durations estimated from a sample, in ms; null when not measured. */
  readonly estimate: { readonly copyMs: number; readonly migrateMs: number; readonly sampleRows: number } | null
  /** Tables locked during the upgrade; empty without pending migrations. */
  readonly locked: readonly string[]
  readonly findings: readonly UpgradeFinding[]
}

export function stateOf(findings: readonly UpgradeFinding[]): 'ready' | 'stop first' | 'blocked' {
  if (findings.some(({ level }) => level === 'block')) return 'blocked'
  return findings.some(({ level }) => level === 'stop') ? 'stop first' : 'ready'
}

/**
 * Refuses an upgrade that has findings of the levels `block` or `stop`.
 * @throws unavailable with all such findings, in the message and in `data`
 */
export function refuseFindings(from: number, to: number, findings: readonly UpgradeFinding[]): void {
  const against = findings.filter(({ level }) => level !== 'note')
  if (against.length === 0) return
  const reasons = against.map(({ text, next }) => (next === null ? text : `${text} ${next}`)).join(' ')
  const refused = from === 0 ? 'Carrel made no tables' : `The data was not upgraded from schema ${from} to ${to}`
  throw new CarrelError('unavailable', `${refused}, and nothing was changed. ${reasons}`, {
    from,
    to,
    findings: against,
  })
}

/** Disk space for the upgrade of an empty database. Bytes. */
const LEAST_ROOM = 4_194_304

/**
 * Returns the maximum disk space of an SQLite migration. The pages of rewritten tables are first in the write-ahead log,
 * then at the end of the file. Bytes.
 */
export const roomToMigrate = (rewrittenBytes: number): number => 2 * rewrittenBytes + LEAST_ROOM

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

/** Sums the needed space by file system. `device`: the file system of a folder. */
export function joinRoom(room: readonly (UpgradeRoom & { readonly device: number })[]): UpgradeRoom[] {
  return [...Map.groupBy(room, ({ device }) => device).values()].map((same) => ({
    where: same[0]?.where ?? '',
    neededBytes: same.reduce((sum, { neededBytes }) => sum + neededBytes, 0),
    freeBytes: same[0]?.freeBytes ?? null,
  }))
}

/** Estimates the duration for all rows from a sample. `fixedMs`: duration of the migrations without rows. ms. */
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

export const COPIES_KEPT = 3
/** Maximum number of copies of one schema, so that failed tries do not displace an older copy. */
const KEPT_OF_ONE_SCHEMA = 2

/** Manifest of a copy made before an upgrade, or before going back. */
export const CopyManifest = z.object({
  format: z.literal(1),
  engine: z.enum(['sqlite', 'postgres']),
  carrel: z.string(),
  schema: z.number().int().min(1),
  at: Millis,
  reason: z.enum(['upgrade', 'back']),
  /** Source of the data: a path, or a Postgres address with its schema, without user and password. */
  source: z.string(),
  file: z.enum(['carrel.db', 'carrel.pgdump']),
  bytes: z.number().int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  counts: z.record(z.string(), z.number().int()),
  /** Major version of the `pg_dump` used; null for SQLite. */
  toolMajor: z.number().int().nullable(),
})
export type CopyManifest = z.infer<typeof CopyManifest>

/** Returns a name such as `2026-11-24T10-15-30-123Z-schema-9`, which sorts by time and is valid on all file systems. */
export const copyName = (at: number, schema: number): string =>
  `${new Date(at).toISOString().replace(/[:.]/g, '-')}-schema-${schema}`

/** Returns the names of copies to remove after a new copy. `needed`: names that are never removed. */
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

/** Reports the progress of a long operation; `of` is null when the total is unknown. */
export type ReportProgress = (what: string, done: number, of: number | null) => void

/** Numbers of rows written since a copy. Going back to the copy loses them. */
export const RollbackLoss = z.object({
  workspaces: z.number().int(),
  spaces: z.number().int(),
  projects: z.number().int(),
  sessions: z.number().int(),
  /** Sessions that existed in the copy and continued since. */
  sessionsChanged: z.number().int(),
  events: z.number().int(),
  prompts: z.number().int(),
  runs: z.number().int(),
  questions: z.number().int(),
  rules: z.number().int(),
  secrets: z.number().int(),
  settings: z.number().int(),
})
export type RollbackLoss = z.infer<typeof RollbackLoss>

const LOSS_WORDS: Readonly<Record<keyof RollbackLoss, readonly [one: string, many: string]>> = {
  workspaces: ['new workspace', 'new workspaces'],
  spaces: ['new Space', 'new Spaces'],
  projects: ['new project', 'new projects'],
  sessions: ['new session', 'new sessions'],
  sessionsChanged: ['continued session', 'continued sessions'],
  events: ['event', 'events'],
  prompts: ['prompt', 'prompts'],
  runs: ['run', 'runs'],
  questions: ['question asked or answered', 'questions asked or answered'],
  rules: ['new rule', 'new rules'],
  secrets: ['new or changed secret', 'new or changed secrets'],
  settings: ['scope with changed environment settings', 'scopes with changed environment settings'],
}

/** Describes a loss, one phrase for each kind of data; empty when nothing would be lost. */
export function lossWords(loss: RollbackLoss): string[] {
  return (Object.keys(LOSS_WORDS) as (keyof RollbackLoss)[]).flatMap((kind) => {
    const count = loss[kind]
    return count === 0 ? [] : [`${count} ${LOSS_WORDS[kind][count === 1 ? 0 : 1]}`]
  })
}
