import { z } from 'zod'
import { BrowserUse } from '../model/browser.ts'
import { BrowserHolder, BrowserInput } from '../model/browser-sight.ts'
import { RunId, WorkspaceId } from '../model/ids.ts'
import { inWorkspace } from './inputs.ts'
import { operation } from './operation.ts'

const run = inWorkspace(RunId)
const Hold = z.string().min(1).max(100).describe('What taking over returned.')

export const browsers = {
  'browsers.list': operation({
    summary: 'Runs that have a browser of this node, then those that wait for one, in their order.',
    http: ['GET', '/workspaces/:workspace/browsers'],
    input: z.object({ workspace: WorkspaceId }),
    output: z.object({
      most: z.number().int().describe('How many there may be at once on this node.'),
      taken: z.number().int().describe('How many are taken, also by other workspaces.'),
      elsewhere: z.boolean().describe('They are those of a service, which cannot be watched or taken over.'),
      browsers: z.array(BrowserUse),
    }),
    errors: ['not_found'],
  }),
  'browsers.takeOver': operation({
    summary:
      'Take over the browser of a run. What its agent asks of it waits until it is handed back: by you, by the end of the run, when you neither look nor act for three minutes, or when the server stops. One at a time.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/take-over'],
    input: z.object(run),
    output: z.object({ hold: Hold, holder: BrowserHolder }),
    errors: ['not_found', 'gone', 'busy', 'forbidden'],
  }),
  'browsers.handBack': operation({
    summary: 'Hand the browser of a run back to its agent. Without `hold`: whoever has it. Safe to repeat.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/hand-back'],
    input: z.object({ ...run, hold: Hold.optional() }),
    output: z.object({ handedBack: z.boolean().describe('False where nobody had it any more.') }),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
  'browsers.input': operation({
    summary: 'Use the mouse, the keyboard and the address bar of a browser that you have taken over.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/input'],
    input: z.object({ ...run, hold: Hold, inputs: z.array(BrowserInput).min(1).max(100).describe('In their order.') }),
    output: z.object({}),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
  'browsers.show': operation({
    summary: 'Show another tab to all who look. With `hold` it comes to the front of the browser too.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/show'],
    input: z.object({ ...run, tab: z.string().max(100), hold: Hold.optional() }),
    output: z.object({}),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
  'browsers.keepPicture': operation({
    summary: 'Keep a screenshot of the browser of a run in the transcript of its session.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/pictures'],
    input: z.object(run),
    output: z.object({ url: z.string(), title: z.string() }),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
} as const
