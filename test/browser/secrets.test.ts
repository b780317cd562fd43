import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

describe('secrets on the page', () => {
  it('B3: one is set for a Space from its menu, listed by its name, never shown, and removed', async ({ skip }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { carrel, complaints, open } = world
    const { session } = await openSession(world, 'Secrets')
    const page = await open(`/s/${session.id}`)
    await page.getByRole('button', { name: /^More for Space/ }).click()
    await page.getByRole('menuitem', { name: 'Secrets…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Secrets' })
    await dialog.getByText('No secrets yet.').waitFor()
    await dialog.getByLabel('Name').fill('GITHUB_TOKEN')
    await dialog.getByLabel('Value').fill('page-canary-1')
    await dialog.getByRole('button', { name: 'Save secret' }).click()
    await dialog.getByText('GITHUB_TOKEN saved.').waitFor()
    const { secrets } = await carrel.call('secrets.list', { workspace: WORKSPACE })
    expect(secrets).toMatchObject([{ name: 'GITHUB_TOKEN', space: session.space, project: null, give: null }])
    expect(await dialog.getByLabel('Value').inputValue()).toBe('')
    expect(await page.content()).not.toContain('page-canary-1')
    await dialog.getByLabel('Name').fill('PATH')
    await dialog.getByLabel('Value').fill('page-canary-2')
    await dialog.getByRole('button', { name: 'Save secret' }).click()
    await dialog.getByText(/is reserved/).waitFor()
    await dialog.getByRole('button', { name: /^Remove GITHUB_TOKEN in Space/ }).click()
    await dialog.getByText('No secrets yet.').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/run a command/).fill('passwords')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Secrets' }).waitFor()
    expect(complaints).toEqual([])
  })
})
