import { z } from 'zod'
import { SessionId } from '../model/ids.ts'
import { inWorkspace } from './inputs.ts'
import { operation } from './operation.ts'

/** What a rule of retention takes, or would take. */
export const Kept = z.object({
  rule: z.string().describe('The setting that says so.'),
  what: z.string(),
  olderThanDays: z.number().nullable().describe('Null: all are kept.'),
  count: z.number().int(),
  bytes: z.number().int(),
})
export type Kept = z.infer<typeof Kept>

export const keeping = {
  'sessions.export': operation({
    summary:
      'A session to take away, a part at a time: ask again with `after` set to `next` until that is null. `jsonl` are the events as stored, one a line; `markdown` is for people.',
    http: ['GET', '/workspaces/:workspace/sessions/:id/export'],
    input: z.object({
      ...inWorkspace(SessionId),
      as: z.enum(['jsonl', 'markdown']).default('markdown'),
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(5_000).default(1_000).describe('Events looked at for one part.'),
    }),
    output: z.object({ text: z.string(), next: z.number().int().nullable() }),
    errors: ['not_found'],
  }),
  'retention.preview': operation({
    summary: 'Counts what each retention rule would remove. Removes nothing.',
    http: ['GET', '/retention'],
    input: z.object({}),
    output: z.object({ rules: z.array(Kept) }),
    errors: ['forbidden'],
  }),
  'retention.apply': operation({
    summary: 'Removes what the retention rules name now, instead of on the next day. Live runs and sessions stay.',
    http: ['POST', '/retention'],
    input: z.object({}),
    output: z.object({ rules: z.array(Kept) }),
    errors: ['forbidden', 'busy'],
  }),
} as const
