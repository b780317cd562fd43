import type { Migration } from './migration.ts'

/** Adds the places of projects, the file rules of Spaces, and the number of paths that a run changed. */
export const files: Migration = {
  name: '0004-files',
  summary: 'Adds columns for where projects keep their files, rules for files, and how much a session changed.',
  steps: () => [
    "alter table projects add column place_state text not null default 'ready'",
    'alter table projects add column place_driver text',
    'alter table projects add column place_branch text',
    'alter table projects add column place_note text',
    // Only the host reads the record, to open the place again.
    'alter table projects add column place_record text',
    'alter table spaces add column file_rules text',
    'alter table sessions add column changed bigint not null default 0',
    // The last act of each place with written notes: after a crash between act and notes, they are written later.
    'create table acts_noted (place text primary key, act text not null)',
  ],
}
