import type { Migration } from './migration.ts'

/** A port belongs to one place across all nodes and machines. `place` is `space:<id>` or `project:<id>`. */
export const ports: Migration = {
  name: '0008-ports',
  summary: 'Adds the table of ports.',
  steps: () => [
    `create table ports (
    port bigint primary key, workspace text not null, place text not null, name text not null, leased_at bigint not null)`,
    'create unique index ports_place on ports (place, name)',
  ],
}
