import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/model/ids.ts'
import type { Skipped } from '../support/postgres.ts'
import { findings } from './axe.ts'
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

  it('identical questions are answered together, and a different one stays open', async () => {
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

  describe('over the open session', () => {
    const drawer = (page: Page) => page.getByRole('dialog', { name: 'Inbox' })
    const focused = (page: Page, selector: string) =>
      page.evaluate<boolean>(`document.activeElement.closest(${JSON.stringify(selector)}) !== null`)

    /** One session to open, and others with questions. */
    async function asking(here: World, titles: readonly string[]) {
      const { session } = await openSession(here, 'To be in')
      const others = []
      for (const title of titles) {
        const { session: other } = await openSession(here, `Asks ${title}`)
        const content = script([{ ask: { title, options: ['yes', 'no'] } }, { say: `Went on with ${title}` }])
        await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: other.id, content })
        others.push(other)
      }
      return { session, others }
    }
    const answers = async (here: World, session: SessionId) => {
      const { interactions } = await here.carrel.call('interactions.list', { workspace: WORKSPACE, session })
      return interactions.map(({ answer, question }) => {
        const option = answer !== null && 'option' in answer ? answer.option : ''
        return question.options.find(({ id }) => id === option)?.label ?? null
      })
    }

    it('opens by a key, is answered by keys, keeps the focus in it and gives it back', async () => {
      const here = world as World
      const { session, others } = await asking(here, ['Sow now?', 'Prune now?'])
      const page = await here.open(`/s/${session.id}`)
      const opener = page.getByRole('button', { name: /questions? in other sessions/ })
      await opener.focus()
      await page.keyboard.press('i')
      await drawer(page).getByRole('region', { name: 'Prune now?' }).waitFor()
      expect(page.url()).toContain(`/s/${session.id}`)
      expect(await findings(page)).toEqual([])
      // The first question was left open by another test.
      await expect.poll(() => drawer(page).locator('[data-chosen]').innerText(), PATIENCE).toContain('Dig now?')
      await page.keyboard.press('j')
      await expect.poll(() => drawer(page).locator('[data-chosen]').innerText(), PATIENCE).toContain('Sow now?')
      await page.keyboard.press('1')
      await drawer(page).getByRole('region', { name: 'Sow now?' }).waitFor({ state: 'detached' })
      await expect.poll(() => answers(here, others[0]!.id), PATIENCE).toEqual(['yes'])
      // The pressed card disappears with the focus on it. The focus stays in the drawer.
      await drawer(page).getByRole('region', { name: 'Prune now?' }).getByRole('button', { name: /^no/ }).click()
      await drawer(page).getByRole('region', { name: 'Prune now?' }).waitFor({ state: 'detached' })
      await expect.poll(() => answers(here, others[1]!.id), PATIENCE).toEqual(['no'])
      for (let at = 0; at < 12; at += 1) {
        await page.keyboard.press('Tab')
        // At its ends the focus passes over a guard and returns in the next frame.
        await expect.poll(() => focused(page, '[role="dialog"]'), PATIENCE).toBe(true)
      }
      await page.keyboard.press('Escape')
      await drawer(page).waitFor({ state: 'detached' })
      await expect.poll(() => focused(page, '.others-waiting'), PATIENCE).toBe(true)
      expect(here.complaints).toEqual([])
    })

    it('leads to a session, and closes on the way', async () => {
      const here = world as World
      const { session, others } = await asking(here, ['Mow now?'])
      const page = await here.open(`/s/${session.id}`)
      await page.getByRole('button', { name: /open questions?: answer here/ }).click()
      await drawer(page).getByRole('link', { name: 'Asks Mow now?' }).click()
      await page.waitForURL(`**/s/${others[0]!.id}`)
      await drawer(page).waitFor({ state: 'detached' })
      await page.getByRole('region', { name: 'Mow now?' }).waitFor()
      await page.goto(`${here.url}/inbox`)
      await page.getByRole('list', { name: 'Open questions' }).waitFor()
      await page.keyboard.press('i')
      expect(await drawer(page).count()).toBe(0)
    })

    it('opens at the bottom of a phone, where a thumb answers', async () => {
      const here = world as World
      const { session, others } = await asking(here, ['Rake now?'])
      const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
      const page = await here.open(`/s/${session.id}`, phone)
      await page.getByRole('button', { name: /questions? in other sessions/ }).tap()
      const answer = drawer(page).getByRole('region', { name: 'Rake now?' }).getByRole('button', { name: /^yes/ })
      await answer.waitFor()
      const box = await drawer(page).boundingBox()
      expect(box).toMatchObject({ x: 0, width: 390 })
      expect(Math.round((box?.y ?? 0) + (box?.height ?? 0))).toBe(844)
      expect(box?.y).toBeGreaterThan(80)
      const button = await answer.boundingBox()
      expect(button?.height).toBeGreaterThanOrEqual(44)
      expect((button?.x ?? 0) + (button?.width ?? 999)).toBeLessThanOrEqual(390)
      expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      expect(await findings(page)).toEqual([])
      await answer.tap()
      await expect.poll(() => answers(here, others[0]!.id), PATIENCE).toEqual(['yes'])
      await drawer(page).getByRole('button', { name: 'Close the inbox' }).tap()
      await drawer(page).waitFor({ state: 'detached' })
    })
  })
})
