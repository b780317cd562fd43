import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, said, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

describe('rules offered from an answer', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('“always allow” answers this question and decides the next one like it; removed, a person is asked again', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Rules')
    const page = await here.open(`/s/${session.id}`)
    const write = (content: string, after: string) =>
      here.carrel.call('sessions.prompt', {
        workspace: WORKSPACE,
        id: session.id,
        content: script([{ write: 'notes.txt', content }, { say: after }]),
      })
    await write('one\n', 'Wrote one.')
    const card = page.getByRole('region', { name: /^Write notes/ })
    await card.getByRole('button', { name: 'Make a rule' }).click()
    await page.getByRole('menuitem', { name: /^Always allow .* notes\.txt/ }).click()
    await said(page, 'Wrote one.').waitFor()
    await write('two\n', 'Wrote two.')
    await said(page, 'Wrote two.').waitFor()
    const list = async () => {
      const { interactions } = await here.carrel.call('interactions.list', {
        workspace: WORKSPACE,
        session: session.id,
      })
      return interactions.length
    }
    expect(await list()).toBe(1)
    const { rules } = await here.carrel.call('rules.list', { workspace: WORKSPACE })
    expect(rules).toMatchObject([{ action: 'allow', space: session.space, path: 'notes.txt' }])
    // Another file is none of the rule's.
    await here.carrel.call('sessions.prompt', {
      workspace: WORKSPACE,
      id: session.id,
      content: script([{ write: 'other.txt', content: 'x' }]),
    })
    const other = page.getByRole('region', { name: /^Write other/ })
    await other.getByRole('button', { name: 'Make a rule' }).click()
    await page.getByRole('menuitem', { name: 'All rules ...' }).click()
    await page
      .getByRole('dialog', { name: 'Rules' })
      .getByRole('button', { name: /^Remove: Allow / })
      .click()
    await page.getByText('There are none yet').waitFor()
    expect((await here.carrel.call('rules.list', { workspace: WORKSPACE })).rules).toEqual([])
    expect(here.complaints).toEqual([])
  })
})
