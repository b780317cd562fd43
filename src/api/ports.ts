import { z } from 'zod'
import { LeasedPort, PreviewName } from '../model/environment.ts'
import { ProjectId, WorkspaceId } from '../model/ids.ts'
import { operation } from './operation.ts'

const Shown = LeasedPort.extend({
  preview: PreviewName.describe('`/preview/<name>` on this server opens it, logged in.'),
})

export const ports = {
  'ports.list': operation({
    summary: 'The ports that places have, by name, where they are shown, and whether something listens there now.',
    http: ['GET', '/workspaces/:workspace/ports'],
    input: z.object({
      workspace: WorkspaceId,
      project: ProjectId.optional().describe('Only those of the place of this project.'),
    }),
    output: z.object({
      ports: z.array(
        Shown.extend({
          listening: z.boolean().describe('On the loopback of the server’s machine.'),
          apart: z
            .boolean()
            .describe('Runs there have a loopback of their own (sandbox `strict`): nobody outside reaches it.'),
        }),
      ),
    }),
    errors: ['not_found'],
  }),
  'ports.get': operation({
    summary: 'The port that a preview shows, as long as its place has it.',
    http: ['GET', '/workspaces/:workspace/ports/:preview'],
    input: z.object({ workspace: WorkspaceId, preview: PreviewName }),
    output: Shown,
    errors: ['not_found'],
  }),
} as const
