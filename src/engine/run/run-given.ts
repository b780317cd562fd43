import { join } from 'node:path'
import type { GivenToRun } from '../../model/settings/environment.ts'
import type { AgentSlot } from '../agents/agent-slot.ts'
import { variablesOf, withTemporary, writeGiven } from '../files/run-folder.ts'
import type { RunNeed, RunOf } from './run-need.ts'
import type { RunWork } from './run-work.ts'

interface RunGrant {
  readonly run: RunOf
  readonly need: RunNeed
  readonly slot: AgentSlot
}

/** Writes what a run is given to its folder, for people who look later. In the background: the prompt does not wait. */
export function noteGiven({ ctx, recorder }: Pick<RunWork, 'ctx' | 'recorder'>, { run, need, slot }: RunGrant): void {
  const { connection } = slot
  const { recipe, program, environment, secrets, own, confinement } = need
  const variables = variablesOf(need.env, { recipe, secrets, environment, own, home: ctx.home })
  const limits = Object.entries(environment.limits).map(([name, { value }]) => [name, value])
  const given = ctx.vault.mask(recorder.session.workspace).value<GivenToRun>({
    run: run.id,
    session: recorder.session.id,
    agent: run.agent,
    program,
    args: [...recipe.args],
    cwd: confinement.place.path,
    env: withTemporary(variables, connection.temporary),
    home: need.home?.kind ?? 'person',
    temporary: connection.temporary,
    sandbox: environment.sandbox.value,
    hosts: [...(need.sandbox?.hosts ?? [])],
    limits: Object.fromEntries(limits),
    containment: need.sandbox ? 'bubblewrap' : ctx.containment.kind,
    pid: connection.pid,
    stderr: join(ctx.config.dataFolder, 'logs', 'agents', run.agent, 'stderr.log'),
    at: ctx.now(),
  })
  writeGiven(ctx.config, given).catch((thrown) => ctx.log.warn(`The folder of ${run.id} could not be written.`, thrown))
}
