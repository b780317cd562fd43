import { dirname, join } from 'node:path'
import { typeid } from 'typeid-js'
import { refold } from '../../src/engine/folding.ts'
import type { Outcome } from '../../src/model/events/events.ts'
import type { PromptId, RunId, SessionId } from '../../src/model/ids.ts'
import type { Lease } from '../../src/store/lease.ts'
import { leaseHolderOf } from '../../src/store/machine-store.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { WORKSPACE, type World } from './world.ts'

const LEASE_MS = 600_000
const ADA = { name: 'ada', kind: 'person', face: 'web' } as const

/** A finished run: the prompt, and the ACP updates of the agent. */
export interface WrittenRun {
  readonly prompt: string
  readonly updates: readonly unknown[]
}

/**
 * Writes finished runs into a session's log through the store: thousands of items without an agent. The server is
 * stopped meanwhile, since the folder belongs to one process at a time, and starts again.
 */
export async function writeRuns(world: World, session: SessionId, runs: Iterable<WrittenRun>): Promise<void> {
  await world.stop()
  const store = await openSqlite({ path: join(dirname(dirname(world.folder)), 'data', 'carrel.db') })
  try {
    // Only the machine of the session may hold it.
    const holder = leaseHolderOf((await store.machines.ofSession(session)) ?? '')
    const lease = await store.leases.acquire(`session:${session}`, holder, LEASE_MS, Date.now())
    if (!lease) throw new Error('Somebody holds the session.')
    for (const run of runs) await writeRun(store, lease, session, run)
    const fold = await refold(store, session)
    await store.log.rebuild(session, fold)
    await store.log.settle(lease, session, { ...fold, items: [] }, null, Date.now())
    await store.leases.release(lease)
  } finally {
    await store.close()
    await world.start()
  }
}

async function writeRun(store: Store, lease: Lease, session: SessionId, written: WrittenRun): Promise<void> {
  const prompt = typeid('pmt').toString() as PromptId
  const run = typeid('run').toString() as RunId
  const content = [{ type: 'text' as const, text: written.prompt }]
  const data = { prompt, content, agent: 'scripted', busy: 'queue' as const, by: ADA }
  await store.log.submit(WORKSPACE, session, { type: 'prompt.requested', data }, { now: Date.now() })
  const place = { kind: 'direct' as const, path: '/home/ada/garden' }
  const outcomes: Outcome[] = [
    { type: 'run.admitted', data: { run, prompt, agent: 'scripted', place, budgetMs: null } },
    { type: 'run.started', run, data: { run, acpSession: 'written' } },
    ...written.updates.map(
      (update): Outcome => ({
        type: 'agent.update',
        run,
        data: { acp: 1, agent: 'scripted', update },
      }),
    ),
    {
      type: 'run.ended',
      run,
      data: { run, outcome: 'completed', stopReason: 'end_turn', usage: null, error: null, halfDone: [] },
    },
  ]
  await store.log.record(lease, session, { outcomes }, Date.now())
}
