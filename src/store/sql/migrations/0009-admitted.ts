import type { Migration } from './migration.ts'

/** Finds where a run began without reading through all that it did. */
export const admitted: Migration = {
  name: '0009-admitted',
  summary: 'Adds an index that finds where a run began.',
  rewrites: () => ['events'],
  steps: () => ["create index events_admitted on events (session, seq) where type = 'run.admitted'"],
}
