import { expect, it } from 'vitest'
import { openWorld } from '../support/carrel-world.ts'

it('P6, I2: a question about a budget outlives the server, before a run and in the middle of one', async () => {
  const world = await openWorld()
  const settings = { limits: { ms: 1_000 }, budgets: { total: { turns: 2 } } }
  await world.carrel.call('environment.set', { workspace: 'default', settings })
  const one = await world.session()
  const { prompt } = await one.prompt([{ hang: true }])
  const first = await one.until('interaction.opened')
  await one.until('run.parked')
  await world.restart()
  const later = one.through(world.carrel)
  await later.answer(first.data.interaction, 'raise:2000')
  expect((await later.endOf(prompt)).data).toMatchObject({ outcome: 'completed', spent: { turns: 2 } })

  const next = await later.prompt([{ say: 'after that' }])
  const second = await later.until('interaction.opened', () => true, first.seq)
  expect(second.data.question.title).toBe('This workspace has used up its 2 turns. Allow more?')
  await world.restart()
  const last = one.through(world.carrel)
  expect((await last.row()).state).toBe('waiting')
  await last.answer(second.data.interaction, 'stop')
  expect((await last.endOf(next.prompt)).data.outcome).toBe('over_budget')
})
