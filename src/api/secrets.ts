import { z } from 'zod'
import { AgentId, ProjectId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Secret, SecretName, SecretValue } from '../model/secrets/secrets.ts'
import { operation } from './operation.ts'

const where = {
  workspace: WorkspaceId,
  space: SpaceId.nullable().default(null).describe('Scope: this Space only.'),
  project: ProjectId.nullable().default(null).describe('Scope: this project only.'),
}

export const secrets = {
  'secrets.list': operation({
    summary: 'List the secrets by name, with scopes and agents. No operation returns a value.',
    http: ['GET', '/workspaces/:workspace/secrets'],
    input: z.object({ workspace: WorkspaceId }),
    output: z.object({
      secrets: z.array(Secret.extend({ readable: z.boolean().describe('False: its encryption key is missing.') })),
    }),
    errors: ['not_found'],
  }),
  'secrets.put': operation({
    summary:
      'Create or replace a secret. Each secret is an environment variable of runs; its value is masked in all stored and shown texts. Its scope is the workspace, a Space or a project. The most specific scope wins.',
    http: ['POST', '/workspaces/:workspace/secrets'],
    input: z.object({
      ...where,
      name: SecretName,
      value: SecretValue,
      give: z
        .array(AgentId)
        .min(1)
        .max(64)
        .nullable()
        .default(null)
        .describe('Agents that receive the secret; null for all.'),
    }),
    output: Secret,
    errors: ['not_found'],
  }),
  'secrets.remove': operation({
    summary: 'Remove a secret. Runs started earlier keep its value.',
    http: ['DELETE', '/workspaces/:workspace/secrets/:name'],
    input: z.object({ ...where, name: SecretName }),
    output: z.object({ removed: z.boolean() }),
    errors: ['not_found'],
  }),
  'secrets.rotate': operation({
    summary:
      'Encrypt all secrets of this installation with a new key. Repeat an interrupted rotation to continue it; until it is complete, both keys stay valid.',
    http: ['POST', '/server/secrets/rotate'],
    input: z.object({}),
    output: z.object({
      key: z.string(),
      sealed: z.number().int().describe('Number of secrets encrypted with the new key.'),
      unreadable: z.number().int().describe('Number of secrets left unchanged because their key is missing.'),
    }),
    errors: ['forbidden', 'busy'],
  }),
} as const
