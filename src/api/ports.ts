import { z } from 'zod'
import { ProjectId, WorkspaceId } from '../model/ids.ts'
import { LeasedPort } from '../model/surroundings.ts'
import { operation } from './operation.ts'

export const ports = {
  'ports.list': operation({
    summary: 'The ports that places have, by name, and whether something listens there now.',
    http: ['GET', '/workspaces/:workspace/ports'],
    input: z.object({
      workspace: WorkspaceId,
      project: ProjectId.optional().describe('Only those of the place of this project.'),
    }),
    output: z.object({
      ports: z.array(
        LeasedPort.extend({ listening: z.boolean().describe('On the loopback of the server’s machine.') }),
      ),
    }),
    errors: ['not_found'],
  }),
} as const
