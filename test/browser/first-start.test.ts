import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openWorld, PATIENCE, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

describe('first start', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('three clicks lead to a running session, and an answered question to a written file', async () => {
    const { open, carrel, folder, complaints } = world as World
    const page = await open('/')
    // Clicks one and two: a folder, and start. An agent is chosen already.
    await page.getByRole('button', { name: /^garden/ }).click()
    await page.getByRole('button', { name: 'Start session' }).click()
    // Click three: send.
    await page.getByRole('textbox', { name: 'Prompt' }).fill('Write a small file for me')
    await page.getByRole('button', { name: 'Send' }).click()
    const card = page.getByRole('region', { name: /^Write hello/ }).filter({ has: page.getByRole('button') })
    await card.getByRole('button', { name: 'Do not allow' }).waitFor()
    await expect.poll(() => page.title(), PATIENCE).toMatch(/^\(1\) /)
    expect(existsSync(join(folder, 'hello-from-carrel.md'))).toBe(false)
    await card.getByRole('button', { name: /^Allow/ }).click()
    await page.getByText('Completed').waitFor()
    await page.getByText('That was a turn').waitFor()
    expect(readdirSync(folder)).toContain('hello-from-carrel.md')
    expect(await page.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('')
    const { interactions } = await carrel.call('interactions.list', { workspace: WORKSPACE })
    expect(interactions).toMatchObject([{ state: 'answered', answeredBy: { face: 'web' } }])
    expect(complaints).toEqual([])
  })

  it('a browser that is not logged in shows how to log in, and nothing else', async () => {
    const { browser, url } = world as World
    const page = await browser.newPage()
    await page.goto(`${url}/`)
    await page.getByRole('heading', { name: 'Log in to Carrel' }).waitFor()
    expect(await page.getByText('carrel open').count()).toBe(1)
    expect(await page.getByText('garden').count()).toBe(0)
    await page.close()
  })

  it('the tour begins without a folder and without another agent', async () => {
    const { open, complaints } = world as World
    const page = await open('/add')
    await page.getByRole('button', { name: 'Blank Space' }).click()
    await page.getByRole('button', { name: 'Start session' }).click()
    await page.getByRole('textbox', { name: 'Prompt' }).fill('hi')
    await page.keyboard.press('Enter')
    await page.getByText('I am the scripted agent').waitFor()
    expect(complaints).toEqual([])
  })
})
