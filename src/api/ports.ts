import { z } from 'zod'
import { ProjectId, WorkspaceId } from '../model/ids.ts'
import { LeasedPort, PreviewName } from '../model/settings/environment.ts'
import { operation } from './operation.ts'

const Shown = LeasedPort.extend({
  preview: PreviewName.describe('Path `/preview/<name>` on this server opens the preview for logged-in people.'),
})

export const ports = {
  'ports.list': operation({
    summary: 'List the ports of working copies, with their names, previews, and whether a program listens now.',
    http: ['GET', '/workspaces/:workspace/ports'],
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
    input: z.object({ workspace: WorkspaceId, preview: PreviewName }),
    output: Shown,
    errors: ['not_found'],
  }),
} as const
