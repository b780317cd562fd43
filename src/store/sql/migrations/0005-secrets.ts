import type { Migration } from './migration.ts'

/** `scope` is the id of the Space or project, or empty for the whole workspace. The value is sealed. */
export const secrets: Migration = {
  name: '0005-secrets',
  summary: 'Adds the table of secrets.',
  steps: () => [
    `create table secrets (
    workspace text not null, scope text not null, name text not null, space text, project text, give text,
    key_id text not null, sealed text not null, created_at bigint not null, updated_at bigint not null,
    primary key (workspace, scope, name))`,
    'create index secrets_key on secrets (key_id)',
  ],
}
