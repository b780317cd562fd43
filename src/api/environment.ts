import { z } from 'zod'
import { AgentId, ProjectId, RunId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { Secret, SecretName, SecretValue } from '../model/secrets/secrets.ts'
import {
  EffectiveEnvironment,
  Environment,
  EnvironmentChange,
  GivenToRun,
  LeasedPort,
  PreviewName,
} from '../model/settings/environment.ts'
import { inWorkspace, operation } from './operation.ts'

const secretScope = {
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
      ...secretScope,
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
    input: z.object({ ...secretScope, name: SecretName }),
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

const where = {
  workspace: WorkspaceId,
  space: SpaceId.nullable().default(null).describe('Scope: this Space.'),
  project: ProjectId.nullable().default(null).describe('Scope: this project.'),
}

const found = z.object({
  own: Environment.describe('Settings of this scope.'),
  effective: EffectiveEnvironment.describe('Effective settings, each with the scope that sets it.'),
})

export const environment = {
  'environment.get': operation({
    summary:
      'Get the environment settings of a workspace, Space or project: variables, home, ports, limits. The most specific scope wins; for limits, the smallest.',
    http: ['GET', '/workspaces/:workspace/environment'],
    input: z.object(where),
    output: found,
    errors: ['not_found'],
  }),
  'environment.set': operation({
    summary:
      'Change the environment settings of a scope. A value replaces the field, null removes it, an absent field stays. Applies to new runs.',
    http: ['POST', '/workspaces/:workspace/environment'],
    input: z.object({ ...where, settings: EnvironmentChange }),
    output: found,
    errors: ['not_found'],
  }),
  'runs.environment': operation({
    summary: 'Get the environment of a run, with handles in place of secret values.',
    http: ['GET', '/workspaces/:workspace/runs/:id/environment'],
    at: 'machine',
    input: z.object(inWorkspace(RunId)),
    output: GivenToRun,
    errors: ['not_found', 'gone'],
  }),
} as const

const Shown = LeasedPort.extend({
  preview: PreviewName.describe('Path `/preview/<name>` on this server opens the preview for logged-in people.'),
})

export const ports = {
  'ports.list': operation({
    summary: 'List the ports of working copies, with their names, previews, and whether a program listens now.',
    http: ['GET', '/workspaces/:workspace/ports'],
    at: 'machine',
    input: z.object({
      workspace: WorkspaceId,
      project: ProjectId.optional().describe('Only ports of this project’s working copy.'),
    }),
    output: z.object({
      ports: z.array(
        Shown.extend({
          listening: z.boolean().describe('A program listens on the loopback of the server’s machine.'),
          apart: z
            .boolean()
            .describe('Runs have their own loopback (sandbox `strict`), which is unreachable from outside.'),
        }),
      ),
    }),
    errors: ['not_found'],
  }),
  'ports.get': operation({
    summary: 'Get the port of a preview while its working copy has the port.',
    http: ['GET', '/workspaces/:workspace/ports/:preview'],
    at: 'machine',
    input: z.object({ workspace: WorkspaceId, preview: PreviewName }),
    output: Shown,
    errors: ['not_found'],
  }),
} as const
