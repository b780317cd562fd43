import type { BrowserContextOptions, Page } from 'playwright-core'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { findings } from './axe.ts'
import { agentMessage, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

/** A world of its own for each walk: a person is new only once. */
async function comeIn(skip: (why: string) => void, options: BrowserContextOptions = {}) {
  const world = await openWorld()
  if ('skipped' in world) return skip(world.skipped) as never
  onTestFinished(() => world.close())
  return { world, page: await world.open('/', options) }
}

const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true })
const question = (page: Page) => page.getByRole('region', { name: /^Write hello/ })
const queue = (page: Page) => page.getByRole('region', { name: 'Queue' })
const palette = (page: Page) => page.getByRole('dialog', { name: 'Search or run a command' })
const transcript = (page: Page) => page.getByRole('region', { name: 'Transcript' })
/** Runs until it is stopped. */
const ENDLESS = script([{ say: 'Until somebody stops me.' }, { hang: true }])

const outcomes = async ({ carrel }: World) => {
  const { sessions } = await carrel.call('sessions.list', { workspace: WORKSPACE })
  const all = sessions.map(async ({ id }) => {
    const { runs } = await carrel.call('runs.list', { workspace: WORKSPACE, session: id })
    return runs.map(({ outcome }) => outcome)
  })
  return (await Promise.all(all)).flat().sort()
}

describe('a new user: tour, answer, a second queued prompt, stop, and the previous session', () => {
  let skip: (why: string) => void
  beforeEach((context) => {
    skip = (why) => context.skip(why)
  })

  it('on a phone, by thumb', async () => {
    const { world, page } = await comeIn(skip, PHONE)
    await page.getByRole('button', { name: 'Take the tour' }).tap()
    await page.getByRole('button', { name: 'Send', exact: true }).tap()
    await question(page)
      .getByRole('button', { name: /^Allow/ })
      .first()
      .tap()
    await agentMessage(page, 'That was a turn').waitFor()
    await page.getByText('Completed').waitFor()
    await prompt(page).fill(ENDLESS)
    await page.getByRole('button', { name: 'Send', exact: true }).tap()
    await agentMessage(page, 'Until somebody stops me.').waitFor()
    await prompt(page).fill('and then this')
    await page.getByRole('button', { name: 'Send', exact: true }).tap()
    await queue(page).getByText('and then this').waitFor()
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Stop', exact: true }).tap()
    await agentMessage(page, 'You said: “and then this”').waitFor()
    await expect.poll(() => outcomes(world), PATIENCE).toEqual(['cancelled', 'completed', 'completed'])
    const before = new URL(page.url()).pathname
    await page.getByRole('button', { name: 'Sessions' }).tap()
    await page
      .getByRole('button', { name: /^New session in/ })
      .first()
      .tap()
    await page.waitForURL((url) => /\/s\//.test(url.pathname) && url.pathname !== before)
    await page.getByRole('button', { name: 'Sessions' }).tap()
    await page.locator(`nav a[href="${before}"]`).first().tap()
    await agentMessage(page, 'You said: “and then this”').waitFor()
    expect(world.complaints).toEqual([])
  })

  it('on a laptop, with the keyboard only', { tags: ['long'] }, async () => {
    const { world, page } = await comeIn(skip)
    const { keyboard } = page
    /**
     * Moves the focus with Tab alone, as a person without a mouse. An element that needs more steps counts as
     * unreachable.
     */
    const tabTo = async (name: RegExp) => {
      for (let at = 0; at < 60; at += 1) {
        const here = await page.evaluate<string>(
          `document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''`,
        )
        if (name.test(here.trim())) return
        await keyboard.press('Tab')
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    await page.getByRole('button', { name: 'Take the tour' }).waitFor()
    await tabTo(/^Take the tour$/)
    await keyboard.press('Enter')
    await prompt(page).waitFor()
    await tabTo(/^Prompt$/)
    await keyboard.press('Enter')
    await question(page)
      .getByRole('button', { name: /^Allow/ })
      .first()
      .waitFor()
    await tabTo(/^Allow/)
    await keyboard.press('Enter')
    await page.getByText('Completed').waitFor()
    await tabTo(/^Prompt$/)
    await keyboard.insertText(ENDLESS)
    await keyboard.press('Enter')
    await agentMessage(page, 'Until somebody stops me.').waitFor()
    await expect.poll(() => prompt(page).inputValue(), PATIENCE).toBe('')
    await keyboard.insertText('and then this')
    await keyboard.press('Enter')
    await queue(page).getByText('and then this').waitFor()
    await tabTo(/^Stop/)
    await keyboard.press('Enter')
    await agentMessage(page, 'You said: “and then this”').waitFor()
    await expect.poll(() => outcomes(world), PATIENCE).toEqual(['cancelled', 'completed', 'completed'])
    const before = page.url()
    await keyboard.press('Control+k')
    await palette(page).waitFor()
    await keyboard.type('new session')
    await palette(page)
      .getByRole('option', { selected: true, name: /^New session/ })
      .waitFor()
    await keyboard.press('Enter')
    await page.waitForURL((url) => /\/s\//.test(url.pathname) && url.href !== before)
    // The earlier message is found by its text.
    await keyboard.press('Control+k')
    await palette(page).waitFor()
    await keyboard.type('and then this')
    const hit = palette(page).getByRole('option').filter({ hasText: 'You said: “and then this”' })
    await hit.first().waitFor()
    for (let at = 0; at < 20 && (await hit.first().getAttribute('aria-selected')) !== 'true'; at += 1) {
      await keyboard.press('ArrowDown')
    }
    await keyboard.press('Enter')
    await page.waitForURL((url) => url.href.startsWith(before.split('#')[0]!))
    await agentMessage(page, 'You said: “and then this”').waitFor()
    expect(world.complaints).toEqual([])
  })

  it('a screen reader finds regions by name, the question with its answers, and the running state', async () => {
    const { page } = await comeIn(skip)
    await page.getByRole('button', { name: 'Take the tour' }).click()
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await question(page)
      .getByRole('button', { name: /^Allow/ })
      .first()
      .waitFor()
    for (const role of ['main', 'navigation', 'status'] as const)
      expect(await page.getByRole(role).count(), role).toBeGreaterThan(0)
    const tree = await page.locator('body').ariaSnapshot()
    expect(tree).toMatch(/navigation "Workspace"/)
    expect(tree).toMatch(/region "Transcript"/)
    expect(tree).toMatch(/region "Write hello-from-carrel\.md/)
    expect(tree).toMatch(/button "Do not allow/)
    expect(tree).toMatch(/textbox "Prompt"/)
    // No control is without a name.
    expect(tree.match(/^\s*- (button|link|textbox|combobox)(:|\s*$)/gm) ?? []).toEqual([])
    expect(await transcript(page).getByRole('list').count()).toBeGreaterThan(0)
  })
})
