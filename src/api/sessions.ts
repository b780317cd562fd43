import { z } from 'zod'
import { BusyPolicy, ContentBlock } from '../model/events.ts'
import { AgentId, PromptId, RunId, Seq, SessionId } from '../model/ids.ts'
import { Item, RunItem } from '../model/items.ts'
import { Run, RunOutcome } from '../model/tree.ts'
import { ClientKey, Flag, inWorkspace, Paging, paged } from './inputs.ts'
import { operation } from './operation.ts'

const head = RunItem.nullable().describe('The run that the oldest of `items` is part of, where its own item is older.')
const session = inWorkspace(SessionId)
const Content = z.union([z.string().min(1), z.array(ContentBlock).min(1)]).describe('Text, or ACP content blocks.')
const Accepted = z.object({
  seq: z.number().int().describe('Where the request stands in the log.'),
  repeated: z.boolean(),
})

export const sessions = {
  'sessions.view': operation({
    summary: 'What a session is doing now, and its newest items, as of `seq`; follow from there.',
    http: ['GET', '/workspaces/:workspace/sessions/:id/view'],
    input: z.object({ ...session, limit: z.coerce.number().int().min(1).max(500).default(60) }),
    output: z.object({
      seq: z.number().int(),
      view: z.custom<import('../model/view.ts').SessionView>(),
      items: z.array(Item),
      head,
      more: z.boolean(),
    }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.items': operation({
    summary: "Older items of a session: those before `before`, newest first. Each is as of the log's head.",
    http: ['GET', '/workspaces/:workspace/sessions/:id/items'],
    input: z.object({ ...session, before: Seq.optional(), limit: z.coerce.number().int().min(1).max(500).default(60) }),
    output: z.object({ items: z.array(Item), head, more: z.boolean() }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.events': operation({
    summary: "Events of a session's log after `after`, oldest first, as stored.",
    http: ['GET', '/workspaces/:workspace/sessions/:id/events'],
    input: z.object({
      ...session,
      after: Seq.default(0),
      limit: z.coerce.number().int().min(1).max(5000).default(500),
    }),
    output: z.object({
      events: z.array(z.looseObject({ seq: z.number().int(), type: z.string() })),
      head: z.number().int(),
    }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.prompt': operation({
    summary:
      'Ask the agent something. Returns when the request is in the log, or when the run has started or ended, as `wait` says; hanging up changes nothing.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/prompt'],
    input: z.object({
      ...session,
      content: Content,
      agent: AgentId.optional().describe('Another agent than the one spoken to last.'),
      busy: BusyPolicy.default('queue').describe('When a run is on: wait, join it, replace it, or be refused.'),
      wait: z.enum(['accepted', 'started', 'ended']).default('accepted'),
      timeoutMs: z.coerce
        .number()
        .int()
        .min(0)
        .max(86_400_000)
        .default(600_000)
        .describe('How long to wait at most; then the state so far is returned.'),
      key: ClientKey,
    }),
    output: z.object({
      ...Accepted.shape,
      prompt: PromptId,
      state: z.enum(['accepted', 'admitted', 'started', 'parked', 'ended', 'withdrawn']),
      run: RunId.nullable(),
      outcome: RunOutcome.nullable(),
      text: z.string().nullable().describe('What the agent said last, when the run has ended.'),
    }),
    errors: ['not_found', 'busy', 'gone', 'unavailable'],
    forAgents: true,
  }),
  'prompts.edit': operation({
    summary: 'Change a prompt that still waits.',
    http: ['PATCH', '/workspaces/:workspace/sessions/:id/prompts/:prompt'],
    input: z.object({ ...session, prompt: PromptId, content: Content }),
    output: Accepted,
    errors: ['not_found', 'gone'],
  }),
  'prompts.withdraw': operation({
    summary: 'Take back a prompt that still waits.',
    http: ['DELETE', '/workspaces/:workspace/sessions/:id/prompts/:prompt'],
    input: z.object({ ...session, prompt: PromptId }),
    output: Accepted,
    errors: ['not_found', 'gone'],
  }),
  'sessions.cancel': operation({
    summary:
      'Stop the run that is on. Names the run, so that it can never hit the next one; without `run` it means the one on now.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/cancel'],
    input: z.object({ ...session, run: RunId.optional() }),
    output: Accepted,
    errors: ['not_found', 'gone'],
    forAgents: true,
  }),
  'sessions.configure': operation({
    summary: "Choose mode, model and other options of an agent in this session, by the agent's own ids.",
    http: ['POST', '/workspaces/:workspace/sessions/:id/config'],
    input: z.object({
      ...session,
      agent: AgentId.optional(),
      mode: z.string().max(500).optional(),
      options: z.record(z.string(), z.union([z.string(), z.boolean()])).default({}),
    }),
    output: Accepted,
    errors: ['not_found', 'gone'],
  }),
  'sessions.close': operation({
    summary: 'End a session: its run is cancelled, its agents let go. The log stays readable.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/close'],
    input: z.object({ ...session }),
    output: Accepted,
    errors: ['not_found'],
  }),
  'sessions.rebuild': operation({
    summary:
      'Make the stored items of a session again from its log. They are the same unless an older version folded them.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/rebuild'],
    input: z.object({ ...session }),
    output: z.object({ seq: z.number().int(), items: z.number().int() }),
    errors: ['not_found', 'busy'],
  }),
  'runs.list': operation({
    summary: 'List runs, newest first: of a session, or of the workspace; `live` for those without an end.',
    http: ['GET', '/workspaces/:workspace/runs'],
    input: z.object({ workspace: session.workspace, ...Paging, session: SessionId.optional(), live: Flag }),
    output: paged('runs', Run),
    errors: ['not_found'],
    forAgents: true,
  }),
  'runs.get': operation({
    summary: 'One run.',
    http: ['GET', '/workspaces/:workspace/runs/:id'],
    input: z.object({ ...inWorkspace(RunId) }),
    output: Run,
    errors: ['not_found'],
    forAgents: true,
  }),
} as const
