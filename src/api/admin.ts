import { z } from 'zod'
import { AgentStatus } from '../model/agent.ts'
import { Pause, WaitingWork } from '../model/binding.ts'
import { Confirm, operation } from './operation.ts'

/** Result of one check of `server.doctor`, with the next step where the state is not `good`. */
export const Finding = z.object({
  name: z.string(),
  state: z.enum(['good', 'limited', 'bad']),
  text: z.string(),
  next: z.string().nullable(),
})
export type Finding = z.infer<typeof Finding>

/** A paused data folder: nothing runs and only reading works, until a person decides that it goes on. */
export const PausedData = z.object({
  why: Pause.shape.why,
  /** Path of the other data folder; null for a caller of some workspaces only. */
  other: z.string().nullable(),
  at: Pause.shape.at,
  text: z.string().describe('The reason as a sentence.'),
  waiting: WaitingWork.describe('Work that waits in the workspaces of the caller.'),
})
export type PausedData = z.infer<typeof PausedData>

export const admin = {
  'agents.list': operation({
    summary: 'List the known agents, with their state on this machine and how to install and log in.',
    http: ['GET', '/agents'],
    input: z.object({}),
    output: z.object({ agents: z.array(AgentStatus), default: z.string() }),
    errors: [],
    forAgents: true,
  }),
  'folders.suggest': operation({
    summary: "Suggest folders on the server's machine for a Space: nearby repositories, or the folders in `in`.",
    http: ['GET', '/folders'],
    input: z.object({ in: z.string().max(4096).optional().describe('Folder whose subfolders to list.') }),
    output: z.object({
      folder: z.string().nullable(),
      folders: z.array(
        z.object({ path: z.string(), name: z.string(), git: z.boolean(), branch: z.string().nullable() }),
      ),
    }),
    errors: ['not_found'],
  }),
  'server.status': operation({
    summary: 'Get the state of the server: version, load, queues.',
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
      paused: PausedData.nullable().describe('Null while the data folder works.'),
    }),
    errors: [],
  }),
  'server.unpause': operation({
    summary:
      'Let a paused data folder go on: its waiting work begins here, and the other data folder is paused where it is on this machine. Without `confirm`, only preview. Idempotent.',
    http: ['POST', '/server/unpause'],
    input: z.object({ confirm: Confirm }),
    output: z.object({
      paused: PausedData.nullable().describe('The pause before the call.'),
      goesOn: z.boolean(),
      replaced: z.string().nullable().describe('Path of the other data folder that is paused instead.'),
    }),
    errors: ['forbidden', 'busy'],
  }),
  'server.doctor': operation({
    summary: 'Check this machine and installation, with the next step for each problem.',
    http: ['GET', '/server/doctor'],
    input: z.object({}),
    output: z.object({ findings: z.array(Finding) }),
    errors: [],
  }),
} as const
