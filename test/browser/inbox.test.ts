import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

describe('inbox', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('identical questions are answered together, and one that differs is left alone', async () => {
    const here = world as World
    for (const [name, title] of [
      ['First bed', 'Water now?'],
      ['Second bed', 'Water now?'],
      ['Third bed', 'Dig now?'],
    ] as const) {
      const { session } = await openSession(here, name)
      const content = script([{ ask: { title, options: ['yes', 'no'] } }])
      await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content })
    }
    const page = await here.open('/inbox')
    const all = page.getByRole('region', { name: '2 identical questions' })
    await all.getByText('are open in 2 sessions').waitFor()
    await all.getByRole('button', { name: 'no: all 2' }).click()
    await page.getByText('2 questions answered with “no”.').waitFor()
    await all.waitFor({ state: 'detached' })
    await page.getByRole('region', { name: 'Dig now?' }).waitFor()
    await expect
      .poll(async () => {
        const { interactions } = await here.carrel.call('interactions.list', { workspace: WORKSPACE })
        return interactions.map(({ state, question }) => `${question.title} ${state}`).sort()
      }, PATIENCE)
      .toEqual(['Dig now? open', 'Water now? answered', 'Water now? answered'])
    expect(here.complaints).toEqual([])
  })
})
