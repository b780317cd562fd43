import type { Migration } from './migration.ts'

/** Where projects keep their files apart, what of a Space's files is covered, and how much a run changed. */
export const files: Migration = {
  name: '0004-files',
  summary: 'Adds columns for where projects keep their files, rules for files, and how much a session changed.',
  steps: () => [
    "alter table projects add column place_state text not null default 'ready'",
    'alter table projects add column place_driver text',
    'alter table projects add column place_branch text',
    'alter table projects add column place_note text',
    // The host needs it to open the place again; nobody else reads it.
    'alter table projects add column place_record text',
    'alter table spaces add column file_rules text',
    'alter table sessions add column changed bigint not null default 0',
    // The last act of each place whose notes are in the logs: one that a crash cut between act and notes is told later.
    'create table acts_noted (place text primary key, act text not null)',
  ],
}
