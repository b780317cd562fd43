import { z } from 'zod'
import { BrowserUse } from '../model/browser.ts'
import { WorkspaceId } from '../model/ids.ts'
import { operation } from './operation.ts'

export const browsers = {
  'browsers.list': operation({
    summary: 'Runs that have a browser of this node, then those that wait for one, in their order.',
    http: ['GET', '/workspaces/:workspace/browsers'],
    input: z.object({ workspace: WorkspaceId }),
    output: z.object({
      most: z.number().int().describe('How many there may be at once on this node.'),
      taken: z.number().int().describe('How many are taken, also by other workspaces.'),
      browsers: z.array(BrowserUse),
    }),
    errors: ['not_found'],
  }),
} as const
