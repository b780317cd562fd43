import { z } from 'zod'
import { AgentId, ProjectId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Secret, SecretName, SecretValue } from '../model/secrets.ts'
import { operation } from './operation.ts'

const where = {
  workspace: WorkspaceId,
  space: SpaceId.nullable().default(null).describe('Only in this Space.'),
  project: ProjectId.nullable().default(null).describe('Only in this project.'),
}

export const secrets = {
  'secrets.list': operation({
    summary: 'Secrets by name, with where they hold and who is given them. No verb ever gives out a value.',
    http: ['GET', '/workspaces/:workspace/secrets'],
    input: z.object({ workspace: WorkspaceId }),
    output: z.object({
      secrets: z.array(Secret.extend({ readable: z.boolean().describe('False: its key is not here.') })),
    }),
    errors: ['not_found'],
  }),
  'secrets.put': operation({
    summary:
      'Store a secret, or another value for it. Runs get it as a variable of this name, and the value is hidden wherever it would be stored or shown. It holds in the whole workspace, or only in a Space or project; the nearest of a name wins.',
    http: ['POST', '/workspaces/:workspace/secrets'],
    input: z.object({
      ...where,
      name: SecretName,
      value: SecretValue,
      give: z.array(AgentId).min(1).max(64).nullable().default(null).describe('Agents that get it; null for all.'),
    }),
    output: Secret,
    errors: ['not_found'],
  }),
  'secrets.remove': operation({
    summary: 'Remove a secret. Runs that began before keep what they were given.',
    http: ['DELETE', '/workspaces/:workspace/secrets/:name'],
    input: z.object({ ...where, name: SecretName }),
    output: z.object({ removed: z.boolean() }),
    errors: ['not_found'],
  }),
  'secrets.rotate': operation({
    summary:
      'Seal all secrets of this installation under a new key. Cut short, it goes on where it was when asked again; until it is done both keys open what they sealed.',
    http: ['POST', '/server/secrets/rotate'],
    input: z.object({}),
    output: z.object({
      key: z.string(),
      sealed: z.number().int().describe('How many were sealed anew.'),
      unreadable: z.number().int().describe('How many stay as they are, because their key is not here.'),
    }),
    errors: ['forbidden', 'busy'],
  }),
} as const
