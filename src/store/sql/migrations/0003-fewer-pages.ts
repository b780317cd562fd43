import { type RowsOf, sameRows } from './kept-rows.ts'
import type { Migration } from './migration.ts'

const LINES = {
  key: ['id'],
  columns: ['id', 'workspace', 'seq', 'at', 'type', 'data'],
  table: 'workspace_log',
} as const satisfies RowsOf
const EVENTS = {
  key: ['id'],
  columns: ['id', 'session', 'seq', 'at', 'run', 'type', 'data'],
  table: 'events',
} as const satisfies RowsOf
const PROMPTS = { key: ['id'], columns: ['id', 'session'] } as const

/**
 * Reduces the pages that a prompt changes. Only waiting prompts are kept, in the order of their ids. Ids sort by time,
 * so the prompts of one commit are adjacent in any session.
 */
export const fewerPages: Migration = {
  name: '0003-fewer-pages',
  summary: 'Keeps only the prompts that wait, and on SQLite writes the logs into tables that change fewer pages.',
  rewrites: ({ name }) => (name === 'sqlite' ? ['prompts', 'events', 'workspace_log'] : ['prompts']),
  steps: (dialect) => [
    `create table waiting_prompts (id text primary key, session text not null)${dialect.byKey}`,
    `insert into waiting_prompts (id, session) select id, session from prompts where state = 'queued' order by id`,
    'drop table prompts',
    ...(dialect.name === 'sqlite' ? WITHOUT_COUNTERS : []),
  ],
  keeps: ({ name }) => [
    sameRows({ ...PROMPTS, table: 'prompts', where: `state = 'queued'` }, { ...PROMPTS, table: 'waiting_prompts' }),
    ...(name === 'sqlite' ? [sameRows(EVENTS, EVENTS), sameRows(LINES, LINES)] : []),
  ],
}

/** SQLite stores the `autoincrement` counter in another table at each insert, and nothing needs it. */
const WITHOUT_COUNTERS = [
  `create table plain_events (
    id integer primary key, session text not null, seq bigint not null, at bigint not null,
    run text, type text not null, data text not null)`,
  'insert into plain_events select id, session, seq, at, run, type, data from events order by id',
  'drop table events',
  'alter table plain_events rename to events',
  'create unique index events_seq on events (session, seq)',
  `create table plain_workspace_log (
    id integer primary key, workspace text not null, seq bigint not null, at bigint not null,
    type text not null, data text not null)`,
  'insert into plain_workspace_log select id, workspace, seq, at, type, data from workspace_log order by id',
  'drop table workspace_log',
  'alter table plain_workspace_log rename to workspace_log',
  'create unique index workspace_log_seq on workspace_log (workspace, seq)',
]
