import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AGENT, makeWorld, newPrompt, WHO } from '../../../test/contracts/store-world.ts'
import { nextStep } from '../../model/events/view.ts'
import { createMask } from '../../model/secrets/mask.ts'
import { openSqlite } from '../../store/sqlite/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { loadFold } from '../folding.ts'
import { Leases } from '../leases.ts'
import { SessionRecorder } from './recorder.ts'

const folder = mkdtempSync(join(tmpdir(), 'carrel-recorder-'))
let store: Store
beforeAll(async () => {
  store = await openSqlite({ path: join(folder, 'carrel.db') })
})
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

it('L10: a prompt that is folded while the session is being settled keeps it awake', async () => {
  const world = await makeWorld(store, Date.now())
  const session = await world.session()
  const leases = new Leases(store, 'node', 60_000, Date.now)
  const lease = leases.claim(`session:${session.id}`)!
  await lease.take()
  const recorder = new SessionRecorder({
    store,
    session,
    lease,
    loaded: await loadFold(store, session.id),
    now: Date.now,
    flushMs: 10,
    mask: () => createMask([]),
  })
  expect(nextStep(recorder.view, Date.now()).do).toBe('rest')
  const content = [{ type: 'text' as const, text: 'water' }]
  const data = { prompt: newPrompt(), content, agent: AGENT, busy: 'queue' as const, by: WHO }
  await store.log.submit(world.workspace.id, session.id, { type: 'prompt.requested', data }, { now: Date.now() })
  // The bell rings in the moment in which the holder settles the session.
  const heard = recorder.catchUp()
  expect(await recorder.settle(null)).toBe(false)
  await heard
  expect(nextStep(recorder.view, Date.now()).do).toBe('admit')
  recorder.close()
  await lease.release()
  expect(await store.log.due('', Date.now(), 10)).toEqual([{ session: session.id, workspace: world.workspace.id }])
  await leases.close()
})
