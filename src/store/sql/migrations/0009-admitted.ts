import type { Migration } from './migration.ts'

/** Finds the beginning of a run without reading all of its events. */
export const admitted: Migration = {
  name: '0009-admitted',
  summary: 'Adds an index that finds where a run began.',
  rewrites: () => ['events'],
  steps: () => ["create index events_admitted on events (session, seq) where type = 'run.admitted'"],
}
