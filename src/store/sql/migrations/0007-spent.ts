import type { Migration } from './migration.ts'

/** What each run used. Runs of before count as nothing. */
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
