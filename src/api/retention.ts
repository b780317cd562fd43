import { z } from 'zod'
import { SessionId } from '../model/ids.ts'
import { inWorkspace, operation } from './operation.ts'

/** Data that one retention rule removes, or would remove. */
export const RetentionCount = z.object({
  rule: z.string().describe('Setting of the rule.'),
  what: z.string(),
  olderThanDays: z.number().nullable().describe('Null: nothing is removed.'),
  count: z.number().int(),
  bytes: z.number().int().describe('Bytes on the disk; in a database, bytes of its rows.'),
})
export type RetentionCount = z.infer<typeof RetentionCount>

export const retention = {
  'sessions.export': operation({
    summary:
      'Export a session in pages: repeat with `after` set to `next` until `next` is null. `jsonl`: the stored events, one a line. `markdown`: a transcript for people.',
    http: ['GET', '/workspaces/:workspace/sessions/:id/export'],
    input: z.object({
      ...inWorkspace(SessionId),
      as: z.enum(['jsonl', 'markdown']).default('markdown').describe('Form of the export.'),
      after: z.coerce.number().int().min(0).default(0).describe('`next` of the page before; 0 for the first.'),
      limit: z.coerce.number().int().min(1).max(5_000).default(1_000).describe('Events read for one page.'),
    }),
    output: z.object({ text: z.string(), next: z.number().int().nullable() }),
    errors: ['not_found'],
  }),
  'retention.preview': operation({
    summary: 'Counts what each retention rule would remove. Removes nothing.',
    http: ['GET', '/retention'],
    input: z.object({}),
    output: z.object({ rules: z.array(RetentionCount) }),
    errors: ['forbidden'],
  }),
  'retention.apply': operation({
    summary: 'Removes what the retention rules name now, instead of on the next day. Live runs and sessions stay.',
    http: ['POST', '/retention'],
    input: z.object({}),
    output: z.object({ rules: z.array(RetentionCount) }),
    errors: ['forbidden', 'busy'],
  }),
} as const
