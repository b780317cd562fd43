import { z } from 'zod'
import { SessionId, WorkspaceId } from '../model/ids.ts'
import { SearchHit } from '../model/search.ts'
import { operation, Paging, paged } from './operation.ts'

export const search = {
  'search.items': operation({
    summary:
      'Search the transcripts of all sessions of a workspace, or of one session. All words must match, "quoted words" as a phrase; the last word matches as a prefix. Best matches come first, then the newest. Not found yet: items of the last second, unfinished messages, and items copied to a fork before its first use (found in the original session).',
    http: ['GET', '/workspaces/:workspace/search'],
    input: z.object({
      workspace: WorkspaceId,
      text: z.string().min(1).max(500).describe('Words to find; see the summary.'),
      session: SessionId.optional(),
      ...Paging,
      limit: z.coerce.number().int().min(1).max(100).default(20).describe('Maximum number of hits in a page.'),
    }),
    output: paged('hits', SearchHit),
    errors: ['not_found'],
    forAgents: true,
  }),
} as const
