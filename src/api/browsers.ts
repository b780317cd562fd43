import { z } from 'zod'
import { BrowserUse } from '../model/browser.ts'
import { BrowserHolder, BrowserInput } from '../model/browser-sight.ts'
import { RunId, WorkspaceId } from '../model/ids.ts'
import { inWorkspace, operation } from './operation.ts'

const run = inWorkspace(RunId)
const Hold = z.string().min(1).max(100).describe('The `hold` from `browsers.takeOver`.')

export const browsers = {
  'browsers.list': operation({
    summary: 'List the runs with a browser on this node, then the runs that wait for one, in queue order.',
    http: ['GET', '/workspaces/:workspace/browsers'],
    at: 'machine',
    input: z.object({ workspace: WorkspaceId }),
    output: z.object({
      most: z.number().int().describe('Maximum number of concurrent browsers on this node.'),
      taken: z.number().int().describe('Browsers in use, by all workspaces.'),
      elsewhere: z.boolean().describe('A remote service runs the browsers: you cannot watch or take over them.'),
      browsers: z.array(BrowserUse),
    }),
    errors: ['not_found'],
  }),
  'browsers.takeOver': operation({
    summary:
      'Take control of the browser of a run. Browser commands of the agent wait until control returns: when you hand it back, when the run ends, after three minutes in which you neither watch nor act, or when the server stops. One person at a time has control.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/take-over'],
    at: 'machine',
    input: z.object(run),
    output: z.object({ hold: Hold, holder: BrowserHolder }),
    errors: ['not_found', 'gone', 'busy', 'forbidden'],
  }),
  'browsers.handBack': operation({
    summary:
      'Return control of the browser of a run to its agent. Without `hold`, any person loses control. Idempotent.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/hand-back'],
    at: 'machine',
    input: z.object({ ...run, hold: Hold.optional() }),
    output: z.object({ handedBack: z.boolean().describe('False when no person had control.') }),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
  'browsers.input': operation({
    summary: 'Send mouse, keyboard and address bar input to a browser that you control.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/input'],
    at: 'machine',
    input: z.object({
      ...run,
      hold: Hold,
      inputs: z.array(BrowserInput).min(1).max(100).describe('Applied in order.'),
    }),
    output: z.object({}),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
  'browsers.show': operation({
    summary: 'Show another tab to all viewers. With `hold`, the browser also activates the tab.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/show'],
    at: 'machine',
    input: z.object({ ...run, tab: z.string().max(100), hold: Hold.optional() }),
    output: z.object({}),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
  'browsers.keepPicture': operation({
    summary: 'Save a screenshot of the browser of a run in the transcript of its session.',
    http: ['POST', '/workspaces/:workspace/runs/:id/browser/pictures'],
    at: 'machine',
    input: z.object(run),
    output: z.object({ url: z.string(), title: z.string() }),
    errors: ['not_found', 'gone', 'forbidden'],
  }),
} as const
