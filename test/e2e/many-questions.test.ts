import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { leaseHolderOf } from '../../src/store/machine-store.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { admitted, ask, newInteraction, newRun, opened, started, take } from '../contracts/store-world.ts'
import { openCliWorld } from '../support/cli-world.ts'
import { openHttpWorld } from '../support/http-world.ts'

/** More than one page of any list. */
const COUNT = 501

it('lists of open questions are whole, however many there are', async () => {
  const world = openCliWorld()
  onTestFinished(() => world.close())
  const made = await world.carrel(['sessions', 'create', '-a', 'scripted', '--json'], { cwd: world.folder('many') })
  const { id, workspace } = made.json()
  const store = await openSqlite({ path: join(world.data, 'carrel.db') })
  const lease = await take(store, id, leaseHolderOf((await store.machines.ofSession(id)) ?? ''))
  const request = ask()
  await store.log.submit(workspace, id, request, { now: 1 })
  const run = newRun()
  const questions = Array.from({ length: COUNT }, newInteraction)
  const parked = { type: 'run.parked' as const, data: { run, reason: 'waits' } }
  const outcomes = [
    admitted(run, request.data.prompt),
    started(run),
    ...questions.map((each) => opened(each, run)),
    parked,
  ]
  await store.log.record(lease, id, { outcomes }, 2)
  await store.leases.release(lease)
  await store.close()

  const inbox = await world.carrel(['inbox'])
  expect(inbox.stderr).toContain(`${COUNT} questions wait for you.`)
  expect(questions.filter((each) => !inbox.stdout.includes(each))).toEqual([])
  const { interactions, cursor } = (await world.carrel(['inbox', '--json'])).json()
  expect([interactions.length, cursor]).toEqual([COUNT, null])
  const { client, close } = await openHttpWorld({ dataFolder: world.data })
  onTestFinished(close)
  expect((await client.call('workspaces.get', { workspace })).interactions).toHaveLength(COUNT)
})
