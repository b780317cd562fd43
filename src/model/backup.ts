import { z } from 'zod'
import { Millis } from './ids.ts'

/** One part of the data folder that a backup contains. A new part is one line in `BACKUP_PARTS`. */
export interface BackupPart {
  readonly name: string
  /** `database`: copied as of one moment while in use. `tree`: a folder with everything below it. */
  readonly kind: 'database' | 'file' | 'tree'
  /** Relative to the data folder. */
  readonly path: string
}

export const BACKUP_PARTS: readonly BackupPart[] = [
  { name: 'database', kind: 'database', path: 'carrel.db' },
  { name: 'settings', kind: 'file', path: 'config.json' },
  { name: 'name of this node', kind: 'file', path: 'node' },
  { name: 'history of files', kind: 'database', path: 'files/files.db' },
  { name: 'contents of the history of files', kind: 'tree', path: 'files' },
  { name: 'folders of blank Spaces', kind: 'tree', path: 'spaces' },
]

/** Data that no backup contains, as text for the person who restores one. */
export const BACKUP_LEAVES_OUT: readonly string[] = [
  'The key of secrets. The backup contains secrets only in encrypted form. Store `secrets.key`, or the source of your key, elsewhere: without it you must set every secret again.',
  'The login token. The first start creates a new one.',
  'Your own folders that Spaces use.',
  'Copies made before upgrades.',
  'Log files, and the own homes of agents with their logins and memory. A restored session gives its transcript to the agent as memory.',
]

export const BACKUP_FORMAT = 1

export const BackupEntry = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('file'),
    path: z.string(),
    bytes: z.number().int(),
    mode: z.number().int(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  z.object({ kind: z.literal('folder'), path: z.string() }),
  z.object({ kind: z.literal('link'), path: z.string(), target: z.string() }),
])
export type BackupEntry = z.infer<typeof BackupEntry>

/** Manifest of a backup. A backup is complete when this file exists under the backup's final name. */
export const BackupManifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  carrel: z.string(),
  /** Schema version of the database; null when the backup has no database. */
  schema: z.number().int().nullable(),
  at: Millis,
  /** Original data folder. A restore elsewhere moves the folders of blank Spaces along. */
  dataFolder: z.string(),
  entries: z.array(BackupEntry),
  skipped: z.array(z.object({ path: z.string(), why: z.string() })),
  leavesOut: z.array(z.string()),
})
export type BackupManifest = z.infer<typeof BackupManifest>

/** Whether a manifest path stays inside the backup. Manifests are untrusted input. */
export const staysInside = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('/') &&
  !path.includes('\\') &&
  !path.split('/').some((part) => part === '..' || part === '')
