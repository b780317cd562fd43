import { z } from 'zod'
import { AgentStatus } from '../model/agent.ts'
import { operation } from './operation.ts'

/** One thing that was looked at: what is so, and what to do where it is not as it should be. */
export const Finding = z.object({
  name: z.string(),
  state: z.enum(['good', 'limited', 'bad']),
  text: z.string(),
  next: z.string().nullable(),
})
export type Finding = z.infer<typeof Finding>

export const admin = {
  'agents.list': operation({
    summary: 'Agents that Carrel knows, which of them are on this machine, and how to install and log in.',
    http: ['GET', '/agents'],
    input: z.object({}),
    output: z.object({ agents: z.array(AgentStatus), default: z.string() }),
    errors: [],
    forAgents: true,
  }),
  'folders.suggest': operation({
    summary: "Folders on the server's machine that may become a Space: repositories nearby, or what lies in a folder.",
    http: ['GET', '/folders'],
    input: z.object({ in: z.string().max(4096).optional().describe('List the folders in this one instead.') }),
    output: z.object({
      folder: z.string().nullable(),
      folders: z.array(
        z.object({ path: z.string(), name: z.string(), git: z.boolean(), branch: z.string().nullable() }),
      ),
    }),
    errors: ['not_found'],
  }),
  'server.status': operation({
    summary: 'The server: version, load, queues.',
    http: ['GET', '/server'],
    input: z.object({}),
    output: z.object({
      version: z.string(),
      node: z.string(),
      store: z.string(),
      startedAt: z.number(),
      pid: z.number().int(),
      rssBytes: z.number().int(),
      liveRuns: z.number().int(),
      agentProcesses: z.number().int(),
      waitingSpawns: z.number().int(),
    }),
    errors: [],
  }),
  'server.doctor': operation({
    summary: 'Look over this machine and installation and say what is missing and what to do.',
    http: ['GET', '/server/doctor'],
    input: z.object({}),
    output: z.object({ findings: z.array(Finding) }),
    errors: [],
  }),
} as const
