import type { Migration } from './migration.ts'

/** `scope` is the id of the Space or project, or empty for the whole workspace. */
export const surroundings: Migration = {
  name: '0006-surroundings',
  summary: 'Adds the table of environment settings.',
  steps: () => [
    `create table surroundings (
    workspace text not null, scope text not null, settings text not null, updated_at bigint not null,
    primary key (workspace, scope))`,
  ],
}
