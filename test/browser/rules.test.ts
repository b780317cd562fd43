import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { findings } from './axe.ts'
import { agentMessage, openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

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

  it('“always allow” answers this question and the next one like it; after its removal a person is asked again', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Notes')
    const page = await here.open(`/s/${session.id}`)
    const write = (content: string, after: string) =>
      here.carrel.call('sessions.prompt', {
        workspace: WORKSPACE,
        id: session.id,
        content: script([{ write: 'notes.txt', content }, { say: after }]),
      })
    await write('one\n', 'Wrote one.')
    const card = page.getByRole('region', { name: /^Write notes/ })
    await card.getByRole('button', { name: 'Add rule' }).click()
    await page.getByRole('menuitem', { name: /^Always allow .* notes\.txt/ }).click()
    await agentMessage(page, 'Wrote one.').waitFor()
    await write('two\n', 'Wrote two.')
    await agentMessage(page, 'Wrote two.').waitFor()
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
    // The rule does not apply to another file.
    await here.carrel.call('sessions.prompt', {
      workspace: WORKSPACE,
      id: session.id,
      content: script([{ write: 'other.txt', content: 'x' }]),
    })
    const other = page.getByRole('region', { name: /^Write other/ })
    await other.getByRole('button', { name: 'Add rule' }).click()
    await page.getByRole('menuitem', { name: 'All rules…' }).click()
    await page
      .getByRole('dialog', { name: 'Rules' })
      .getByRole('button', { name: /^Remove: Allow / })
      .click()
    await page.getByText('No rules yet').waitFor()
    expect((await here.carrel.call('rules.list', { workspace: WORKSPACE })).rules).toEqual([])
    expect(here.complaints).toEqual([])
  })

  it('the list opens from palette, settings and inbox; rules are added, moved by keyboard, removed and restored', async () => {
    const here = world as World
    await openSession(here, 'Of the list')
    const page = await here.open('/inbox')
    const list = page.getByRole('dialog', { name: 'Rules' })
    const rows = list.getByRole('list', { name: 'Rules in order of precedence' }).getByRole('listitem')
    await page.getByRole('main').getByRole('button', { name: 'Rules', exact: true }).click()
    await list.getByText('No rules yet').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Settings' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Rules', exact: true }).click()
    await list.getByText('No rules yet').waitFor()
    await page.keyboard.press('Escape')
    await list.waitFor({ state: 'detached' })
    await page.keyboard.press('ControlOrMeta+k')
    const palette = page.getByRole('dialog', { name: 'Search or run a command' })
    await palette.waitFor()
    // File rules exist, too.
    await page.keyboard.type('permissions')
    await palette.getByRole('option', { name: 'Rules…', selected: true }).waitFor()
    await page.keyboard.press('Enter')

    const form = page.getByRole('dialog', { name: 'New rule' })
    await list.getByRole('button', { name: 'Add rule' }).click()
    await form.getByLabel('Files').fill('docs/**')
    await form.getByRole('button', { name: 'Add rule', exact: true }).click()
    await rows.filter({ hasText: 'Allow editing docs/** in garden' }).waitFor()
    await list.getByRole('button', { name: 'Add rule' }).click()
    await form.getByRole('radio', { name: 'Deny' }).check()
    await form.getByLabel('Operation').selectOption({ label: 'Run a command' })
    await form.getByLabel('Command', { exact: true }).fill('git push*')
    await form.getByLabel('Scope', { exact: true }).selectOption({ label: 'All Spaces' })
    await form.getByRole('button', { name: 'Add rule', exact: true }).click()
    const allow = 'Allow editing docs/** in garden'
    const refuse = 'Deny the command git push* in all Spaces'
    const shown = async () => (await rows.locator('.rule-words').allInnerTexts()).join('; ')
    await expect.poll(shown, PATIENCE).toBe(`${allow}; ${refuse}`)

    const up = list.getByRole('button', { name: `Move up: ${refuse}` })
    await up.focus()
    await page.keyboard.press('Enter')
    await expect.poll(shown, PATIENCE).toBe(`${refuse}; ${allow}`)
    // At the end of the list the focus stays, and another press does nothing.
    await expect.poll(() => page.evaluate('document.activeElement.ariaLabel'), PATIENCE).toBe(`Move up: ${refuse}`)
    expect(await up.getAttribute('aria-disabled')).toBe('true')
    const order = async () =>
      (await here.carrel.call('rules.list', { workspace: WORKSPACE })).rules.map(({ action }) => action)
    expect(await order()).toEqual(['deny', 'allow'])
    expect(await findings(page)).toEqual([])

    // The undo offer is visible for a short time, so nothing slow comes between.
    await list.getByRole('button', { name: `Remove: ${refuse}` }).click()
    await expect.poll(shown, PATIENCE).toBe(allow)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(order, PATIENCE).toEqual(['deny', 'allow'])
    expect(here.complaints).toEqual([])
  })

  it('a rule that would allow everything is refused with a reason, and the form stays', async () => {
    const here = world as World
    const page = await here.open('/inbox')
    await page.getByRole('main').getByRole('button', { name: 'Rules', exact: true }).click()
    const list = page.getByRole('dialog', { name: 'Rules' })
    const form = page.getByRole('dialog', { name: 'New rule' })
    await list.getByRole('button', { name: 'Add rule' }).click()
    await form.getByLabel('Operation').selectOption({ label: 'Anything' })
    await form.getByLabel('Scope', { exact: true }).selectOption({ label: 'All Spaces' })
    await form.getByRole('button', { name: 'Add rule', exact: true }).click()
    await form.getByText('A rule that allows everything to every agent is not a rule.').waitFor()
    expect(await findings(page)).toEqual([])
    await form.getByRole('button', { name: 'Cancel' }).click()
    await list.getByRole('button', { name: 'Add rule' }).waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.textContent'), PATIENCE).toBe('Add rule')
  })
})
