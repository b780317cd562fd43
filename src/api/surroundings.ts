import { z } from 'zod'
import { ProjectId, RunId, SpaceId, WorkspaceId } from '../model/ids.ts'
import { EffectiveSurroundings, GivenToRun, Surroundings, SurroundingsChange } from '../model/surroundings.ts'
import { inWorkspace } from './inputs.ts'
import { operation } from './operation.ts'

const where = {
  workspace: WorkspaceId,
  space: SpaceId.nullable().default(null).describe('Of this Space.'),
  project: ProjectId.nullable().default(null).describe('Of this project.'),
}

const found = z.object({
  own: Surroundings.describe('What is said here.'),
  effective: EffectiveSurroundings.describe('What holds here in the end, and where each part of it is said.'),
})

export const surroundings = {
  'surroundings.get': operation({
    summary:
      'What runs are given: variables, home, ports, limits. Said for a workspace, a Space or a project; what is nearer wins.',
    http: ['GET', '/workspaces/:workspace/surroundings'],
    input: z.object(where),
    output: found,
    errors: ['not_found'],
  }),
  'surroundings.set': operation({
    summary:
      'Change what runs are given. A field that is said takes the place of what was said here, null takes it away, an absent one stays. Runs that begin from now on get it.',
    http: ['POST', '/workspaces/:workspace/surroundings'],
    input: z.object({ ...where, settings: SurroundingsChange }),
    output: found,
    errors: ['not_found'],
  }),
  'surroundings.given': operation({
    summary: 'What a run was given, with handles in the place of secrets.',
    http: ['GET', '/workspaces/:workspace/runs/:id/surroundings'],
    input: z.object(inWorkspace(RunId)),
    output: GivenToRun,
    errors: ['not_found', 'gone'],
  }),
} as const
