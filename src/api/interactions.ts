import { z } from 'zod'
import { AgentId, InteractionId, RuleId, SessionId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Answer, Interaction, InteractionState } from '../model/interaction.ts'
import { Rule } from '../model/rules.ts'
import { inWorkspace, operation, Paging, paged } from './operation.ts'

const pattern = (most: number) => z.string().min(1).max(most).nullable().default(null)

export const interactions = {
  'interactions.list': operation({
    summary: 'List the questions of agents to people, oldest first.',
    http: ['GET', '/workspaces/:workspace/interactions'],
    input: z.object({
      workspace: WorkspaceId,
      ...Paging,
      state: InteractionState.optional().describe('Only questions in this state.'),
      session: SessionId.optional(),
    }),
    output: paged('interactions', Interaction),
    errors: ['not_found'],
  }),
  'interactions.get': operation({
    summary: 'Get one question with its answer.',
    http: ['GET', '/workspaces/:workspace/interactions/:id'],
    input: z.object({ ...inWorkspace(InteractionId) }),
    output: Interaction,
    errors: ['not_found'],
  }),
  'interactions.answer': operation({
    summary: 'Answer a question. The first answer is final and stays valid when the agent process ends.',
    http: ['POST', '/workspaces/:workspace/interactions/:id/answer'],
    input: z.object({ ...inWorkspace(InteractionId), answer: Answer }),
    output: Interaction,
    errors: ['not_found', 'already_answered', 'gone', 'forbidden'],
  }),
  'rules.list': operation({
    summary: 'List the permission rules in order; the first match decides.',
    http: ['GET', '/workspaces/:workspace/rules'],
    input: z.object({ workspace: WorkspaceId }),
    output: z.object({ rules: z.array(Rule) }),
    errors: ['not_found'],
  }),
  'rules.add': operation({
    summary: 'Add a permission rule, at the end or before another rule. Omitted fields match everything.',
    http: ['POST', '/workspaces/:workspace/rules'],
    input: z.object({
      workspace: WorkspaceId,
      action: z.enum(['allow', 'ask', 'deny']),
      space: SpaceId.nullable().default(null),
      agent: AgentId.nullable().default(null),
      toolKind: pattern(64).describe('Tool kind of ACP: read, edit, delete, move, search, execute, fetch and others.'),
      path: pattern(1024).describe('Anchored glob, relative to the Space or absolute.'),
      command: pattern(4096).describe('Whole command; * matches any characters.'),
      before: RuleId.optional(),
    }),
    output: Rule,
    errors: ['not_found'],
  }),
  'rules.move': operation({
    summary: 'Move a permission rule before another rule, or to the end.',
    http: ['POST', '/workspaces/:workspace/rules/:id/move'],
    input: z.object({ ...inWorkspace(RuleId), before: RuleId.optional() }),
    output: Rule,
    errors: ['not_found'],
  }),
  'rules.remove': operation({
    summary: 'Remove a permission rule.',
    http: ['DELETE', '/workspaces/:workspace/rules/:id'],
    input: z.object({ ...inWorkspace(RuleId) }),
    output: z.object({ removed: z.boolean() }),
    errors: ['not_found'],
  }),
} as const
