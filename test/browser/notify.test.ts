import type { Page } from 'playwright-core'
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

/** The browser's own notifications, as far as the page can see them, and whether the page is hidden. */
const STUB = `
  window.asked = 0
  window.shown = []
  window.pretendHidden = false
  Object.defineProperty(document, 'hidden', { get: () => window.pretendHidden })
  window.Notification = class {
    static permission = sessionStorage.getItem('permission') ?? 'default'
    static async requestPermission() {
      window.asked += 1
      Notification.permission = window.answer ?? 'granted'
      sessionStorage.setItem('permission', Notification.permission)
      return Notification.permission
    }
    constructor(title, { body, tag }) {
      window.shown.push({ title, body, tag })
      window.lastShown = this
    }
    close() {}
  }
`
const shown = (page: Page) => page.evaluate<{ title: string; body: string; tag: string }[]>('window.shown')
const asked = (page: Page) => page.evaluate<number>('window.asked')
const hide = (page: Page, hidden: boolean) => page.evaluate(`window.pretendHidden = ${hidden}`)

async function openStubbed(here: World, path: string): Promise<Page> {
  const page = await here.open(path)
  await page.addInitScript(STUB)
  await page.reload()
  return page
}

const tick = (page: Page) => page.getByRole('checkbox', { name: /^Show a notification/ })

describe('notifications', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('are asked for by a click in the settings only, and then come for questions and ends while the page is hidden', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Water the beds')
    const { session: other } = await openSession(here, 'Elsewhere')
    const page = await openStubbed(here, `/s/${other.id}`)
    const ask = (steps: readonly unknown[], wait: 'ended' | 'accepted') =>
      here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content: script(steps), wait })
    await page.getByRole('textbox', { name: 'Prompt' }).waitFor()
    await page.getByRole('button', { name: 'Settings' }).click()
    await tick(page).waitFor()
    expect(await asked(page)).toBe(0)
    await tick(page).click()
    await expect.poll(() => tick(page).isChecked(), PATIENCE).toBe(true)
    expect(await asked(page)).toBe(1)
    await page.getByRole('button', { name: 'Done' }).click()
    // While somebody looks on, the page itself is enough.
    await ask([{ say: 'Seen.' }], 'ended')
    await page
      .getByRole('link', { name: /Water the beds/ })
      .first()
      .waitFor()
    await expect.poll(() => page.title(), PATIENCE).not.toMatch(/^\(/)
    await hide(page, true)
    await ask([{ ask: { title: 'More water?', options: ['yes', 'no'] } }], 'accepted')
    await expect
      .poll(() => shown(page), PATIENCE)
      .toMatchObject([{ title: 'Water the beds asks', body: 'More water?' }])
    const { interactions } = await here.carrel.call('interactions.list', { workspace: WORKSPACE, state: 'open' })
    const question = interactions[0]!
    await here.carrel.call('interactions.answer', {
      workspace: WORKSPACE,
      id: question.id,
      answer: { option: question.question.options[0]!.id },
    })
    await expect
      .poll(async () => (await shown(page)).at(-1), PATIENCE)
      .toMatchObject({
        title: 'Water the beds',
        body: 'The run is done.',
      })
    expect((await shown(page)).length).toBe(2)
    await page.evaluate('window.lastShown.onclick()')
    await page.waitForURL(`**/s/${session.id}`)
    expect(here.complaints).toEqual([])
  })

  it('a browser that refuses is believed, and nothing is shown', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Refused')
    const page = await openStubbed(here, `/s/${session.id}`)
    await page.evaluate('window.answer = "denied"')
    await page.getByRole('button', { name: 'Settings' }).click()
    await tick(page).click()
    await page.getByText('This browser was told to show none').waitFor()
    expect(await tick(page).isChecked()).toBe(false)
    expect(await tick(page).isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Done' }).click()
    await hide(page, true)
    await here.carrel.call('sessions.prompt', {
      workspace: WORKSPACE,
      id: session.id,
      content: script([{ say: 'Nobody is called.' }]),
      wait: 'ended',
    })
    await page.getByText('Completed').waitFor()
    expect(await shown(page)).toEqual([])
  })

  it('the page can be installed: its manifest and icons are there', async () => {
    const { url } = world as World
    const found = await fetch(`${url}/manifest.webmanifest`)
    expect(found.headers.get('content-type')).toContain('manifest')
    const manifest = (await found.json()) as { display: string; icons: { src: string; sizes: string }[] }
    expect(manifest.display).toBe('standalone')
    for (const { src } of manifest.icons) expect((await fetch(url + src)).status, src).toBe(200)
    expect(manifest.icons.map(({ sizes }) => sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']))
    expect(await (await fetch(url)).text()).toContain('rel="manifest"')
  })
})
