import { z } from 'zod'
import { Millis } from './ids.ts'

/** A part of the data folder that a backup takes along. A new one is a line here. */
export interface BackupPart {
  readonly name: string
  /** `database`: copied as of one moment while it is in use. `tree`: a folder with all below it. */
  readonly kind: 'database' | 'file' | 'tree'
  /** In the data folder. */
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

/** What stays behind, in words for the person who will look for it. */
export const BACKUP_LEAVES_OUT: readonly string[] = [
  'The key of secrets: they are in the backup as they are at rest, sealed. Keep `secrets.key`, or where your key comes from, elsewhere; without it they have to be put again.',
  'The token that logs in: another one is made at the first start.',
  'Folders of yours that Spaces are bound to.',
  'Copies that were made before upgrades.',
  "Logs, and what agents keep in homes of their own: logins, and their memory. A session goes on with its transcript as the agent's memory.",
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

/** What a backup says of itself. It is complete when this file is there, under the backup's final name. */
export const BackupManifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  carrel: z.string(),
  /** Of the database; null where there is none in it. */
  schema: z.number().int().nullable(),
  at: Millis,
  /** Where the data was: folders of blank Spaces move along with it. */
  dataFolder: z.string(),
  entries: z.array(BackupEntry),
  /** What could not be copied, and why. */
  skipped: z.array(z.object({ path: z.string(), why: z.string() })),
  leavesOut: z.array(z.string()),
})
export type BackupManifest = z.infer<typeof BackupManifest>

/** A path inside of a backup never leads out of it, whoever wrote the manifest. */
export const staysInside = (path: string): boolean =>
  path !== '' &&
  !path.startsWith('/') &&
  !path.includes('\\') &&
  !path.split('/').some((part) => part === '..' || part === '')
