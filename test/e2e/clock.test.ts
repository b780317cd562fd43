import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { openWorld } from '../support/carrel-world.ts'

const DAY_MS = 86_400_000

it('L1, S1, P6: a clock set back by a day, during a run and between two starts, loses nothing and stops nothing', async () => {
  const clock = { ahead: 0 }
  const world = await openWorld({}, { now: () => Date.now() + clock.ahead })
  const session = await world.session()
  await session.run([{ say: 'before' }])
  const long = await session.prompt([{ gate: 'go' }, { run: 'echo work > made' }, { say: 'during' }], {
    wait: 'started',
  })
  clock.ahead = -DAY_MS
  // A run that waits for a person, or asks now, waits on.
  const other = await world.session()
  const asked = await other.prompt([{ ask: true, run: 'echo asked > asked' }])
  const { data } = await other.until('interaction.opened')
  session.open('go')
  expect((await session.endOf(long.prompt)).data).toMatchObject({ outcome: 'completed', error: null })
  expect((await session.run([{ say: 'after' }])).outcome).toBe('completed')
  await world.restart()
  clock.ahead = -2 * DAY_MS
  const [again, waits] = [session.through(world.carrel), other.through(world.carrel)]
  expect((await again.run([{ say: 'in the next life' }])).outcome).toBe('completed')
  await waits.answer(data.interaction, 'allow-once')
  expect((await waits.endOf(asked.prompt)).data.outcome).toBe('completed')
  for (const each of [again, waits]) {
    const log = await each.log()
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: log.length }, (_, index) => index + 1))
    for (const { data } of await each.eventsOf('run.ended')) expect(data.spent?.ms ?? 0).toBeGreaterThanOrEqual(0)
    await expectWhole(each)
  }
  // The history attributes a run's changes to it, whatever the clock shows.
  const at = { workspace: session.workspace, project: session.project }
  const { changes } = await world.carrel.call('history.changes', { ...at, run: long.run ?? undefined })
  expect(changes.map(({ path }) => path)).toContain('made')
})
