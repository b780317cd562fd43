import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
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

const palette = (page: Page) => page.getByRole('dialog', { name: 'Search or run a command' })
const message = (page: Page, text: string) => page.getByRole('region', { name: 'Notifications' }).getByText(text)

/** Waits until the page has downloaded and run the file of this view, without opening it. */
async function loadedInAdvance(page: Page, view: string): Promise<void> {
  const downloaded = () => page.evaluate<string[]>('performance.getEntriesByType("resource").map(({ name }) => name)')
  const isOfView = (url: string) => url.includes(`/${view}-`) && url.endsWith('.js')
  const file = () => downloaded().then((urls) => urls.find(isOfView))
  await expect.poll(file, PATIENCE).toBeDefined()
  await page.evaluate(`import(${JSON.stringify(await file())})`)
}

async function prompt(here: World, name: string, steps: readonly unknown[], wait: 'ended' | 'started') {
  const { session } = await openSession(here, name)
  await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content: script(steps), wait })
  return session
}

describe('palette and shortcuts', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('opens by keyboard, finds by a few letters, and runs commands by Enter', async () => {
    const here = world as World
    const { session: one } = await openSession(here, 'Prune the apple tree')
    const { session: two } = await openSession(here, 'Sow the beans')
    const page = await here.open(`/s/${one.id}`)
    // The only shortcut that works in a field.
    await page.getByRole('textbox', { name: 'Prompt' }).focus()
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.type('sowbea')
    await palette(page)
      .getByRole('option', { name: /^Sow the beans/, selected: true })
      .waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/s/${two.id}`)
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.type('theme: dark')
    await palette(page).getByRole('option', { name: 'Theme: dark', selected: true }).waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('html').getAttribute('data-theme'), PATIENCE).toBe('dark')
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    await expect.poll(background, PATIENCE).toBe('rgb(23, 24, 27)')
    await page.reload()
    // The theme applies from the first frame on.
    expect(await background()).toBe('rgb(23, 24, 27)')
    await page.getByRole('textbox', { name: 'Prompt' }).waitFor()
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.type('rename session')
    await palette(page).getByRole('option', { name: 'Rename session…', selected: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Rename session' }).getByRole('textbox').fill('Sow the peas')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Sow the peas' }).first().waitFor()
    expect(here.complaints).toEqual([])
  })

  it('keys typed right after a shortcut reach the palette and the dialog that it opens, at the first time too', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Early keys')
    const page = await here.open(`/s/${session.id}`)
    await page.getByRole('textbox', { name: 'Prompt' }).waitFor()
    for (const view of ['Palette', 'NameDialog']) await loadedInAdvance(page, view)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('rename session')
    await palette(page).getByRole('option', { name: 'Rename session…', selected: true }).waitFor()
    expect(await palette(page).getByRole('combobox').inputValue()).toBe('rename session')
    await page.keyboard.press('Enter')
    await page.keyboard.type('Late keys')
    expect(await page.getByRole('dialog', { name: 'Rename session' }).getByRole('textbox').inputValue()).toBe(
      'Late keys',
    )
    expect(here.complaints).toEqual([])
  })

  it('single keys work outside of fields and are text inside of them', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Keys')
    const page = await here.open(`/s/${session.id}`)
    const field = page.getByRole('textbox', { name: 'Prompt' })
    await field.fill('')
    await field.press('g')
    await field.press('i')
    await field.press('?')
    expect(await field.inputValue()).toBe('gi?')
    expect(new URL(page.url()).pathname).toBe(`/s/${session.id}`)
    await field.blur()
    await page.keyboard.press('g')
    await page.keyboard.press('b')
    await page.getByRole('heading', { name: 'Board' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Go to the inbox').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor({ state: 'detached' })
    await page.keyboard.press('g')
    await page.keyboard.press('s')
    await page.waitForURL(`**/s/${session.id}`)
  })
})

describe('board', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('shows sessions by state; selected ones are stopped and archived after a confirmation, and restored', async () => {
    const here = world as World
    const names = ['Bed one', 'Bed two', 'Bed three']
    for (const name of names) await prompt(here, name, [{ say: 'Digging.' }, { hang: true }], 'started')
    const page = await here.open('/board')
    const running = page.getByRole('region', { name: /^Running/ })
    const idle = page.getByRole('region', { name: /^Idle/ })
    const mark = (name: string) => page.getByRole('checkbox', { name: `Select ${name}`, exact: true })
    for (const name of names) await running.getByRole('link', { name, exact: true }).waitFor()
    // The first by its checkbox, the rest with Shift.
    await mark('Bed three').check()
    await mark('Bed one').click({ modifiers: ['Shift'] })
    for (const name of names) await expect.poll(() => mark(name).isChecked(), PATIENCE).toBe(true)
    await page.getByRole('button', { name: 'Stop 3' }).click()
    const stop = page.getByRole('dialog', { name: 'Stop 3 sessions?' })
    await stop.getByRole('button', { name: 'Cancel' }).click()
    await expect.poll(() => running.getByRole('listitem').count(), PATIENCE).toBeGreaterThanOrEqual(3)
    await page.getByRole('button', { name: 'Stop 3' }).click()
    await stop.getByRole('button', { name: 'Stop 3' }).click()
    await message(page, 'Stopping 3 sessions.').waitFor()
    for (const name of names) await idle.getByRole('link', { name, exact: true }).waitFor()
    // By keyboard: x on two of them.
    await idle.getByRole('link', { name: 'Bed one', exact: true }).focus()
    await page.keyboard.press('x')
    await idle.getByRole('link', { name: 'Bed two', exact: true }).focus()
    await page.keyboard.press('x')
    await page.getByRole('button', { name: 'Archive 2' }).click()
    await page.getByRole('dialog', { name: 'Archive 2 sessions?' }).getByRole('button', { name: 'Archive 2' }).click()
    await message(page, 'Archived 2 sessions.').waitFor()
    await idle.getByRole('link', { name: 'Bed one', exact: true }).waitFor({ state: 'detached' })
    const list = await here.carrel.call('sessions.list', { workspace: WORKSPACE, archived: true })
    expect(list.sessions.map(({ name }) => name).sort()).toEqual(['Bed one', 'Bed two'])
    await page.getByRole('button', { name: 'Show archived' }).click()
    await page.getByRole('button', { name: 'Restore session Bed two' }).click()
    await idle.getByRole('link', { name: 'Bed two', exact: true }).waitFor()
    expect(here.complaints).toEqual([])
  })

  it('archiving from the sidebar is reported and can be undone', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Here and gone')
    const page = await here.open(`/s/${session.id}`)
    await page.getByRole('button', { name: 'More for session Here and gone' }).press('Enter')
    await page.getByRole('menuitem', { name: 'Archive' }).press('Enter')
    await message(page, 'Archived “Here and gone”.').waitFor()
    const row = page.getByRole('navigation', { name: 'Workspace' }).getByRole('link', { name: /Here and gone/ })
    await row.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await row.waitFor()
    expect(here.complaints).toEqual([])
  })

  it('a failed archiving is reported, and the rest is archived', async () => {
    const here = world as World
    for (const name of ['Stays', 'Goes']) await openSession(here, name)
    const { sessions } = await here.carrel.call('sessions.list', { workspace: WORKSPACE, text: 'Stays' })
    const page = await here.open('/board')
    await page.route(`**/sessions/${sessions[0]!.id}/archive`, (route) => route.abort())
    await page.getByRole('checkbox', { name: 'Select Stays' }).check()
    await page.getByRole('checkbox', { name: 'Select Goes' }).check()
    await page.getByRole('button', { name: 'Archive 2' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Archive 2' }).click()
    await message(page, 'Archived “Goes”.').waitFor()
    await page.getByRole('alert').getByText('1 not archived. “Stays”').waitFor()
    await page.getByRole('link', { name: 'Stays', exact: true }).first().waitFor()
  })
})

describe('search', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('a result leads to the item in its session, from the view and from the palette', async () => {
    const here = world as World
    const words = Array.from({ length: 60 }, (_, at) => ({ say: `Row ${at} is dug.`, message: `m${at}` }))
    const session = await prompt(here, 'Long digging', [{ say: 'A rare zucchini stands here.' }, ...words], 'ended')
    const page = await here.open('/search')
    const field = page.getByRole('searchbox')
    await page.getByText('Search all transcripts').waitFor()
    await expect
      .poll(async () => {
        const { hits } = await here.carrel.call('search.items', { workspace: WORKSPACE, text: 'zucchini' })
        return hits.length
      }, PATIENCE)
      .toBeGreaterThan(0)
    await field.fill('zucchini')
    const hit = page.getByRole('list', { name: 'Results' }).getByRole('link').filter({ hasText: 'stands here' }).first()
    await hit.waitFor()
    expect(await hit.locator('mark').first().innerText()).toBe('zucchini')
    expect(new URL(page.url()).searchParams.get('q')).toBe('zucchini')
    await hit.click()
    await page.waitForURL(new RegExp(`/s/${session.id}#\\d+$`))
    await page.getByRole('article').getByText('A rare zucchini stands here.').first().waitFor()
    await page.keyboard.press('Control+k')
    await palette(page).waitFor()
    await page.keyboard.type('rare zucchini')
    await palette(page).getByRole('option').filter({ hasText: 'stands here' }).first().click()
    await page.waitForURL(new RegExp(`/s/${session.id}#\\d+$`))
    await page.goto(`${here.url}/search?q=qqqqnothing`)
    await page.getByText('No results').waitFor()
    expect(here.complaints).toEqual([])
  })
})

describe('accessibility of board, search and dialogs', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`board, search, palette, settings and keyboard have no finding of axe (${colorScheme})`, {
      tags: colorScheme === 'dark' ? ['long'] : [],
    }, async () => {
      const here = world as World
      const { session } = await openSession(here, `Looked at in ${colorScheme}`)
      await here.carrel.call('sessions.prompt', {
        workspace: WORKSPACE,
        id: session.id,
        content: script([{ say: 'The word marrow.' }]),
        wait: 'ended',
      })
      const page = await here.open('/board', { colorScheme, reducedMotion: 'reduce' })
      await page.getByRole('checkbox', { name: `Select ${session.name}` }).check()
      expect(await findings(page)).toEqual([])
      await page.goto(`${here.url}/search?q=marrow`)
      await page.getByRole('list', { name: 'Results' }).waitFor()
      expect(await findings(page)).toEqual([])
      await page.keyboard.press('Control+k')
      await palette(page).getByRole('option').first().waitFor()
      expect(await findings(page)).toEqual([])
      await page.keyboard.press('Escape')
      await palette(page).waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByRole('dialog', { name: 'Settings of this browser' }).waitFor()
      expect(await findings(page)).toEqual([])
      await page.getByRole('button', { name: 'Done' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Show archived' }).click()
      await page.getByRole('region', { name: 'Archived' }).waitFor()
      await page.getByRole('searchbox').blur()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
      expect(await findings(page)).toEqual([])
    })
  }

  it('none of them is wider than a phone, and a state is chosen there by thumb', async () => {
    const here = world as World
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
    const page = await here.open('/board', phone)
    const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    const column = (name: RegExp) => page.getByRole('region', { name })
    await page.getByRole('radiogroup', { name: 'State' }).getByText(/^Idle/).tap()
    await column(/^Idle/).getByRole('link').first().waitFor()
    expect(await column(/^Failed/).isVisible()).toBe(false)
    expect(await overflow()).toBeLessThanOrEqual(0)
    await page.goto(`${here.url}/search?q=the`)
    await page.getByRole('searchbox').waitFor()
    expect(await overflow()).toBeLessThanOrEqual(0)
  })
})
