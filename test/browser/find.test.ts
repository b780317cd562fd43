import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, type World } from './world.ts'
import { writeRuns } from './written-log.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

const say = (text: string) => ({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })
const think = (text: string) => ({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text } })

describe('search in a session', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('Ctrl-F finds items that are not loaded, scrolls to the first, and to the next', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Find')
    const updates = Array.from({ length: 300 }, (_, at) => [
      think(`Thought ${at}.`),
      say(at === 10 || at === 200 ? `The wheelbarrow stands at bed ${at}.` : `Nothing at bed ${at}.`),
    ]).flat()
    await writeRuns(here, session.id, [{ prompt: 'Where is it?', updates }])
    const page = await here.open(`/s/${session.id}`)
    await page.getByText('Nothing at bed 299.').waitFor()
    await page.keyboard.press('Control+f')
    const field = page.getByRole('textbox', { name: 'Find in this session' })
    await field.fill('wheelbarrow')
    await page.getByText('2', { exact: true }).waitFor()
    await field.press('Enter')
    await page.getByText('The wheelbarrow stands at bed 200.').waitFor()
    await field.press('Enter')
    await page.getByText('The wheelbarrow stands at bed 10.').waitFor()
    await page.getByText('1 of 2').waitFor()
    await field.press('Escape')
    await expect.poll(() => field.count()).toBe(0)
    expect(here.complaints).toEqual([])
  })
})
