import { z } from 'zod'
import { EffectiveEnvironment, Environment, EnvironmentChange, GivenToRun } from '../model/environment.ts'
import { ProjectId, RunId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { inWorkspace } from './inputs.ts'
import { operation } from './operation.ts'

const where = {
  workspace: WorkspaceId,
  space: SpaceId.nullable().default(null).describe('Of this Space.'),
  project: ProjectId.nullable().default(null).describe('Of this project.'),
}

const found = z.object({
  own: Environment.describe('What is said here.'),
  effective: EffectiveEnvironment.describe('What holds here in the end, and where each part of it is said.'),
})

export const environment = {
  'environment.get': operation({
    summary:
      'What runs are given: variables, home, ports, limits. Said for a workspace, a Space or a project; what is nearer wins.',
    http: ['GET', '/workspaces/:workspace/environment'],
    input: z.object(where),
    output: found,
    errors: ['not_found'],
  }),
  'environment.set': operation({
    summary:
      'Change what runs are given. A field that is said takes the place of what was said here, null takes it away, an absent one stays. Runs that begin from now on get it.',
    http: ['POST', '/workspaces/:workspace/environment'],
    input: z.object({ ...where, settings: EnvironmentChange }),
    output: found,
    errors: ['not_found'],
  }),
  'runs.environment': operation({
    summary: 'What a run was given, with handles in the place of secrets.',
    http: ['GET', '/workspaces/:workspace/runs/:id/environment'],
    input: z.object(inWorkspace(RunId)),
    output: GivenToRun,
    errors: ['not_found', 'gone'],
  }),
} as const
