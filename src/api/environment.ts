import { z } from 'zod'
import { ProjectId, RunId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { EffectiveEnvironment, Environment, EnvironmentChange, GivenToRun } from '../model/settings/environment.ts'
import { inWorkspace } from './inputs.ts'
import { operation } from './operation.ts'

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
    input: z.object(inWorkspace(RunId)),
    output: GivenToRun,
    errors: ['not_found', 'gone'],
  }),
} as const
