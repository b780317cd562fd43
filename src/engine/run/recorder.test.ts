import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  AGENT,
  admitted,
  ask,
  makeWorld,
  newPrompt,
  newRun,
  said,
  started,
  WHO,
} from '../../../test/contracts/store-world.ts'
import { CarrelError } from '../../model/errors.ts'
import { nextStep } from '../../model/events/view.ts'
import type { SessionId } from '../../model/ids.ts'
import { createMask } from '../../model/secrets/mask.ts'
import { openSqlite } from '../../store/sqlite/sqlite.ts'
import type { Begins, Store } from '../../store/store.ts'
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

async function open(parts: Partial<Store['log']> = {}) {
  const world = await makeWorld(store, Date.now())
  const session = await world.session()
  const leases = new Leases(store, 'node', 60_000, Date.now)
  const lease = leases.claim(`session:${session.id}`)!
  const recorder = new SessionRecorder({
    store: { ...store, log: { ...store.log, ...parts } },
    session,
    lease,
    loaded: await loadFold(store, session.id),
    now: Date.now,
    flushMs: 10,
    mask: () => createMask([]),
  })
  const close = async () => {
    recorder.close()
    await lease.release()
    await leases.close()
  }
  return { world, session, lease, recorder, close }
}

it('L10: a prompt that is folded while the session is being settled keeps it awake', async () => {
  const { world, session, lease, recorder, close } = await open()
  await lease.take()
  expect(nextStep(recorder.view, Date.now()).do).toBe('rest')
  const content = [{ type: 'text' as const, text: 'water' }]
  const data = { prompt: newPrompt(), content, agent: AGENT, busy: 'queue' as const, by: WHO }
  await store.log.submit(world.workspace.id, session.id, { type: 'prompt.requested', data }, { now: Date.now() })
  // The bell rings in the moment in which the holder settles the session.
  const heard = recorder.catchUp()
  expect(await recorder.settle(null)).toBe(false)
  await heard
  expect(nextStep(recorder.view, Date.now()).do).toBe('admit')
  await close()
  expect(await store.log.due('', Date.now(), 10)).toEqual([{ session: session.id, workspace: world.workspace.id }])
})

const away = () => new CarrelError('unavailable', 'The connection to the database was lost.')
const textsIn = async (session: SessionId) =>
  (await store.log.read(session, 0, 100)).flatMap(({ json }) => /"text":"([^"]*)"/.exec(json)?.[1] ?? [])

it.each([
  ['before it was sent', false],
  ['after its commit', true],
])('S6, L1: a write whose connection is lost %s is in the log once, in its order', async (_, commits) => {
  let cuts = 3
  const { session, recorder, lease, close } = await open({
    async record(...args) {
      const cut = cuts-- > 0
      const recorded = cut && !commits ? null : await store.log.record(...args)
      if (cut || !recorded) throw away()
      return recorded
    },
  })
  recorder.push(said('one'))
  await recorder.record(said('two'), said('two'))
  recorder.push(said('three'))
  await recorder.record()
  expect(await textsIn(session.id)).toEqual(['one', 'two', 'two', 'three'])
  expect([recorder.view.seq, lease.lost.aborted, lease.taken]).toEqual([4, false, true])
  await close()
})

it.each([
  ['took place', true],
  ['did not take place', false],
])('S6, L4: an admission with its prompt whose answer was lost, and that %s', async (_, commits) => {
  const { world, session, recorder, lease, close } = await open()
  const request = ask('water')
  const run = newRun()
  const submit = async (begins: Begins) => {
    if (commits) await store.log.submit(world.workspace.id, session.id, request, { now: Date.now(), begins })
    return null
  }
  const began = await recorder.recordWith(submit, admitted(run, request.data.prompt), started(run))
  expect([began, recorder.view.run?.id, lease.lost.aborted]).toEqual([commits, commits ? run : undefined, false])
  expect(await store.log.head(session.id)).toBe(commits ? 3 : 0)
  await close()
})
