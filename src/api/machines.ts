import { z } from 'zod'
import { SpaceId } from '../model/ids.ts'
import { Machine } from '../model/machine.ts'
import { Space } from '../model/tree.ts'
import { Confirm, inWorkspace, operation } from './operation.ts'

export const machines = {
  'machines.list': operation({
    summary: 'List the machines of this installation. Each Space is on one machine, which alone runs its sessions.',
    http: ['GET', '/machines'],
    input: z.object({}),
    output: z.object({
      machines: z.array(
        Machine.extend({
          here: z.boolean().describe('True for the machine that answers.'),
          away: z.number().nullable().describe('Time since which it is away; null while it is there.'),
        }),
      ),
    }),
    errors: [],
  }),
  'spaces.adopt': operation({
    summary:
      'Make this machine the machine of a Space, whose folder must be here. Without `confirm`, only list what will be missing here. Refused while another machine works in the Space. Idempotent.',
    http: ['POST', '/workspaces/:workspace/spaces/:id/adopt'],
    input: z.object({ ...inWorkspace(SpaceId), confirm: Confirm }),
    output: z.object({
      adopted: z.boolean(),
      space: Space,
      missing: z.array(z.string()).describe('Sentences about what the other machine has and this one has not.'),
    }),
    errors: ['not_found', 'busy'],
  }),
} as const
