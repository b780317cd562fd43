import { z } from 'zod'
import { BusyPolicy, ContentBlock } from '../model/events/events.ts'
import { Item, RunItem } from '../model/events/items.ts'
import { AgentId, PromptId, RunId, Seq, SessionId } from '../model/ids.ts'
import { Waits } from '../model/machine.ts'
import { Run, RunOutcome } from '../model/tree.ts'
import { ClientKey, Flag, inWorkspace, operation, Paging, paged } from './operation.ts'

const head = RunItem.nullable().describe('Item of the run of the oldest of `items`, where it is on an older page.')
const session = inWorkspace(SessionId)
const Content = z.union([z.string().min(1), z.array(ContentBlock).min(1)]).describe('Text or ACP content blocks.')
const ItemCount = z.coerce.number().int().min(1).max(500).default(60).describe('Maximum number of items.')
const Accepted = z.object({
  seq: z.number().int().describe('Position of the request in the log.'),
  repeated: z.boolean(),
})

/** A stored event, of any type: `parseEvent` in the model knows the types. */
export const EventLine = z.looseObject({ seq: z.number().int(), type: z.string() })

export const sessions = {
  'sessions.view': operation({
    summary: 'Get the state of a session and its newest items, as of `seq`. Follow the log from `seq`.',
    http: ['GET', '/workspaces/:workspace/sessions/:id/view'],
    input: z.object({ ...session, limit: ItemCount }),
    output: z.object({
      seq: z.number().int(),
      view: z.custom<import('../model/events/view.ts').SessionView>(),
      items: z.array(Item),
      head,
      more: z.boolean(),
    }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.items': operation({
    summary: "List the items of a session before `before`, newest first, as of the log's head.",
    http: ['GET', '/workspaces/:workspace/sessions/:id/items'],
    input: z.object({
      ...session,
      before: Seq.optional().describe('Only items with a smaller `n`; omit it for the newest.'),
      limit: ItemCount,
    }),
    output: z.object({ items: z.array(Item), head, more: z.boolean() }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.events': operation({
    summary: "List the stored events of a session's log after `after`, oldest first.",
    http: ['GET', '/workspaces/:workspace/sessions/:id/events'],
    input: z.object({
      ...session,
      after: Seq.default(0).describe('Only events after this `seq`.'),
      limit: z.coerce.number().int().min(1).max(5000).default(500).describe('Maximum number of events.'),
    }),
    output: z.object({
      events: z.array(EventLine),
      head: z.number().int(),
    }),
    errors: ['not_found'],
    forAgents: true,
  }),
  'sessions.prompt': operation({
    summary:
      'Send a prompt to the agent. Returns when the request is in the log, or when the run has started or ended, depending on `wait`. Closing the connection does not cancel the prompt.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/prompt'],
    input: z.object({
      ...session,
      content: Content,
      agent: AgentId.optional().describe('Agent of this prompt; default: the last agent of the session.'),
      busy: BusyPolicy.default('queue').describe('During a run: wait in the queue, join the run, replace it, or fail.'),
      wait: z.enum(['accepted', 'started', 'ended']).default('accepted'),
      timeoutMs: z.coerce
        .number()
        .int()
        .min(0)
        .max(86_400_000)
        .default(600_000)
        .describe('Maximum wait in ms; then the present state is returned.'),
      key: ClientKey,
    }),
    output: z.object({
      ...Accepted.shape,
      prompt: PromptId,
      state: z.enum(['accepted', 'admitted', 'started', 'parked', 'ended', 'withdrawn']),
      run: RunId.nullable(),
      outcome: RunOutcome.nullable(),
      text: z.string().nullable().describe('Last message of the agent, once the run has ended.'),
      waits: Waits.nullable().describe(
        'Machine that the prompt waits for; null on that machine, and once the run began.',
      ),
    }),
    errors: ['not_found', 'busy', 'gone', 'unavailable'],
    forAgents: true,
  }),
  'prompts.edit': operation({
    summary: 'Change a queued prompt.',
    http: ['PATCH', '/workspaces/:workspace/sessions/:id/prompts/:prompt'],
    input: z.object({ ...session, prompt: PromptId, content: Content }),
    output: Accepted,
    errors: ['not_found', 'gone'],
  }),
  'prompts.withdraw': operation({
    summary: 'Remove a queued prompt.',
    http: ['DELETE', '/workspaces/:workspace/sessions/:id/prompts/:prompt'],
    input: z.object({ ...session, prompt: PromptId }),
    output: Accepted,
    errors: ['not_found', 'gone'],
  }),
  'sessions.cancel': operation({
    summary: 'Cancel the active run. With `run`, the request can never cancel a later run.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/cancel'],
    input: z.object({ ...session, run: RunId.optional() }),
    output: Accepted,
    errors: ['not_found', 'gone'],
    forAgents: true,
  }),
  'sessions.configure': operation({
    summary: "Set mode, model and other options of an agent in this session, by the agent's own ids.",
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
    summary: 'End a session: cancels its run and releases its agents. The log stays readable.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/close'],
    input: z.object({ ...session }),
    output: Accepted,
    errors: ['not_found'],
  }),
  'sessions.rebuild': operation({
    summary:
      'Rebuild the stored items of a session from its log. The items change only if an older version created them.',
    http: ['POST', '/workspaces/:workspace/sessions/:id/rebuild'],
    input: z.object({ ...session }),
    output: z.object({ seq: z.number().int(), items: z.number().int() }),
    errors: ['not_found', 'busy'],
  }),
  'runs.list': operation({
    summary: 'List the runs of a session or of the workspace, newest first. `live`: only unfinished runs.',
    http: ['GET', '/workspaces/:workspace/runs'],
    input: z.object({
      workspace: session.workspace,
      ...Paging,
      session: SessionId.optional(),
      live: Flag.describe('Only unfinished runs.'),
    }),
    output: paged('runs', Run),
    errors: ['not_found'],
    forAgents: true,
  }),
  'runs.get': operation({
    summary: 'Get one run.',
    http: ['GET', '/workspaces/:workspace/runs/:id'],
    input: z.object({ ...inWorkspace(RunId) }),
    output: Run,
    errors: ['not_found'],
    forAgents: true,
  }),
} as const
