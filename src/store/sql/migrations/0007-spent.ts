import type { Migration } from './migration.ts'

/** Adds the usage of each run. Earlier runs count as zero. */
export const spent: Migration = {
  name: '0007-spent',
  summary: 'Adds columns for the time, turns, tokens and cost of each run.',
  steps: () => [
    'alter table runs add column spent_ms bigint not null default 0',
    'alter table runs add column spent_turns bigint not null default 0',
    'alter table runs add column spent_tokens bigint not null default 0',
    'alter table runs add column spent_cost double precision not null default 0',
  ],
}
