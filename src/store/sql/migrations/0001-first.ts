import type { Migration } from './migration.ts'

/**
 * The log has an auto-increment key and is not clustered by session: a commit then fills one last page instead of one
 * page for each session (2 to 3 times the events, a third of the bytes written).
 * Folds have their own table, because an append rewrites the session's row and the view may be large.
 */
export const first: Migration = {
  name: '0001-first',
  summary: 'Makes the first tables.',
  steps: (dialect) => [
    `create table workspaces (
    id text primary key, name text not null, created_at bigint not null, archived_at bigint,
    head bigint not null default 0)`,
    `create table workspace_log (
    id ${dialect.counter}, workspace text not null, seq bigint not null, at bigint not null,
    type text not null, data text not null)`,
    'create unique index workspace_log_seq on workspace_log (workspace, seq)',
    `create table spaces (
    id text primary key, workspace text not null, name text not null, kind text not null, folder text not null,
    folder_key text not null, state text not null, created_at bigint not null, archived_at bigint)`,
    'create unique index spaces_folder on spaces (folder_key)',
    'create index spaces_workspace on spaces (workspace)',
    `create table projects (
    id text primary key, workspace text not null, space text not null, name text not null,
    place_kind text not null, place_path text not null, created_at bigint not null, archived_at bigint)`,
    'create index projects_space on projects (workspace, space)',
    `create table sessions (
    id text primary key, workspace text not null, space text not null, project text not null,
    name text not null, name_key text not null, named_by text not null, agent text not null,
    state text not null, questions bigint not null, queued bigint not null, head bigint not null,
    last_run text, last_outcome text, last_ended_at bigint, run_state text,
    forked_session text, forked_seq bigint, created_at bigint not null, updated_at bigint not null,
    closing bigint not null default 0, closed_at bigint, archived_at bigint,
    due bigint not null default 0, due_since bigint, wake_at bigint)`,
    // Covers state and name, so that a filter reads only matching rows.
    'create index sessions_news on sessions (workspace, updated_at, id, state, name_key)',
    'create index sessions_project on sessions (project)',
    'create index sessions_space on sessions (space)',
    'create index sessions_due on sessions (due_since) where due = 1',
    'create index sessions_wake on sessions (wake_at) where wake_at is not null',
    `create table events (
    id ${dialect.counter}, session text not null, seq bigint not null, at bigint not null,
    run text, type text not null, data text not null)`,
    'create unique index events_seq on events (session, seq)',
    `create table request_keys (
    session text not null, request_key text not null, digest text not null, seq bigint not null,
    primary key (session, request_key))`,
    'create table folds (session text primary key, version bigint not null, seq bigint not null, view text not null)',
    `create table items (
    session text not null, n bigint not null, json text not null, primary key (session, n))`,
    `create table prompts (
    id text primary key, session text not null, state text not null, at bigint not null)`,
    'create index prompts_session on prompts (session, state)',
    `create table runs (
    id text primary key, workspace text not null, session text not null, prompt text not null, agent text not null,
    state text not null, outcome text, stop_reason text, admitted_at bigint not null, started_at bigint,
    ended_at bigint, usage text)`,
    'create index runs_workspace on runs (workspace, admitted_at, id)',
    'create index runs_session on runs (session, admitted_at, id)',
    "create index runs_live on runs (workspace, admitted_at, id) where state <> 'ended'",
    `create table interactions (
    id text primary key, workspace text not null, space text not null, session text not null, run text not null,
    agent text not null, state text not null, question text not null, opened_at bigint not null, expires_at bigint,
    answer text, answered_by text, answered_at bigint)`,
    'create index interactions_workspace on interactions (workspace, opened_at, id)',
    "create index interactions_open on interactions (workspace, opened_at, id) where state = 'open'",
    'create index interactions_session on interactions (session, opened_at, id)',
    `create table contexts (
    session text not null, agent text not null, acp_session text, fingerprint text, status text not null,
    primary key (session, agent))`,
    `create table leases (
    lease_key text primary key, holder text not null, token bigint not null, expires_at bigint not null)`,
    `create table rules (
    id text primary key, workspace text not null, position bigint not null, space text, action text not null,
    agent text, tool_kind text, path text, command text, created_at bigint not null)`,
    'create index rules_workspace on rules (workspace, position)',
  ],
}
