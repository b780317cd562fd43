import type { Migration } from './migration.ts'

/**
 * The machine of a Space is the only one that claims its sessions (N1). An empty text: no machine has the Space yet.
 * Sessions repeat the machine of their Space, so that the index of due sessions is the whole scheduler.
 */
export const machines: Migration = {
  name: '0012-machines',
  summary: 'Adds the table of machines, and the machine of each Space and session.',
  rewrites: () => ['spaces', 'sessions'],
  steps: () => [
    `create table machines (
    id text primary key, name text not null, version text not null, token_digest text not null,
    login_key text not null, seen_at bigint not null, left_at bigint)`,
    'create unique index machines_name on machines (name)',
    'create index machines_token on machines (token_digest)',
    `alter table spaces add column machine text not null default ''`,
    `alter table sessions add column machine text not null default ''`,
    'drop index spaces_folder',
    // Two machines may both have the same path.
    'create unique index spaces_folder on spaces (machine, folder_key)',
    'drop index sessions_due',
    'create index sessions_due on sessions (machine, due_since) where due = 1',
    'drop index sessions_wake',
    'create index sessions_wake on sessions (machine, wake_at) where wake_at is not null',
  ],
}
