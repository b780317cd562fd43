import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld({}, { whole: true })
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

/** Sets whether the page counts as hidden: a headless browser hides none. Counts shown notifications. */
const PRETEND = `
  window.pretendHidden = false
  Object.defineProperty(document, 'hidden', { get: () => window.pretendHidden })
  window.showings = 0
  const { showNotification } = ServiceWorkerRegistration.prototype
  ServiceWorkerRegistration.prototype.showNotification = async function (...how) {
    await showNotification.apply(this, how)
    window.showings += 1
  }
`
const hide = (page: Page, hidden: boolean) => page.evaluate(`window.pretendHidden = ${hidden}`)

/** Counts the permission requests, and answers them with `answer`. */
const COUNT_ASKING = (answer: NotificationPermission) => `
  window.asked = 0
  const permission = Object.getOwnPropertyDescriptor(Notification, 'permission')
  let given = 'default'
  Object.defineProperty(Notification, 'permission', { get: () => given === 'granted' ? permission.get.call(Notification) : given })
  Notification.requestPermission = async () => {
    window.asked += 1
    given = '${answer}'
    return given
  }
`
type NotificationPermission = 'granted' | 'denied'
const asked = (page: Page) => page.evaluate<number>('window.asked')

interface Shown {
  readonly title: string
  readonly body: string
}

/** Returns the notifications that the browser shows. */
const shown = (page: Page) =>
  page.evaluate<Shown[]>(
    `navigator.serviceWorker.ready.then(async (here) => (await here.getNotifications()).map(({ title, body }) => ({ title, body })))`,
  )

/**
 * Returns the same after `showings` notifications. Chromium loses a notification that is queried between its
 * registration and its display, so the query must wait.
 */
async function shownAfter(page: Page, showings: number): Promise<Shown[]> {
  await expect.poll(() => page.evaluate<number>('window.showings'), PATIENCE).toBeGreaterThanOrEqual(showings)
  return await shown(page)
}

/** Clicks a notification as a person does: the browser calls the worker. */
async function press(page: Page, title: string): Promise<void> {
  const [worker] = page.context().serviceWorkers()
  await worker!.evaluate(`self.registration.getNotifications().then((all) => {
    const notification = all.find(({ title }) => title === ${JSON.stringify(title)})
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
  })`)
}

/** A mere shell of Chromium refuses the permission even after a grant. */
async function showsNotifications(here: World): Promise<boolean> {
  const page = await here.open('/')
  await page.context().grantPermissions(['notifications'], { origin: here.url })
  const permission = await page.evaluate('Notification.permission')
  await page.close()
  return permission === 'granted'
}

async function openPretending(here: World, path: string, answer: NotificationPermission): Promise<Page> {
  const page = await here.open(path)
  if (answer === 'granted') await page.context().grantPermissions(['notifications'], { origin: here.url })
  await page.addInitScript(PRETEND + COUNT_ASKING(answer))
  await page.reload()
  return page
}

const tick = (page: Page) => page.getByRole('checkbox', { name: /^Show a notification/ })

describe('notifications', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('are requested by a click in the settings only, and then appear for questions and run ends while the page is hidden', async ({
    skip,
  }) => {
    const here = world as World
    if (!(await showsNotifications(here)))
      skip('this Chromium shows no notifications; install Chromium, or set CARREL_CHROMIUM to the path of one')
    const { session } = await openSession(here, 'Water the beds')
    const { session: other } = await openSession(here, 'Elsewhere')
    const page = await openPretending(here, `/s/${other.id}`, 'granted')
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
    // A visible page needs no notification.
    await ask([{ say: 'Seen.' }], 'ended')
    // The session is idle again, with new activity.
    const rests = page.getByRole('link', { name: /^Idle\s*Water the beds.*new/ })
    await rests.first().waitFor()
    await expect.poll(() => page.title(), PATIENCE).not.toMatch(/^\(/)
    await hide(page, true)
    await ask([{ ask: { title: 'More water?', options: ['yes', 'no'] } }], 'accepted')
    expect(await shownAfter(page, 1)).toMatchObject([{ title: 'Water the beds has a question', body: 'More water?' }])
    const { interactions } = await here.carrel.call('interactions.list', { workspace: WORKSPACE, state: 'open' })
    const question = interactions[0]!
    await here.carrel.call('interactions.answer', {
      workspace: WORKSPACE,
      id: question.id,
      answer: { option: question.question.options[0]!.id },
    })
    const both = await shownAfter(page, 2)
    expect(both).toHaveLength(2)
    expect(both).toContainEqual({ title: 'Water the beds', body: 'The run completed.' })
    // The open page navigates, so its draft stays.
    await page.getByRole('textbox', { name: 'Prompt' }).fill('half a thought')
    await page.evaluate('window.sameDocument = true')
    await press(page, 'Water the beds')
    await page.waitForURL(`**/s/${session.id}`)
    expect(await page.evaluate('window.sameDocument')).toBe(true)
    await expect.poll(() => shown(page), PATIENCE).toHaveLength(1)
    await page.goBack()
    await expect.poll(() => page.getByRole('textbox', { name: 'Prompt' }).inputValue(), PATIENCE).toBe('half a thought')
    expect(here.complaints).toEqual([])
  })

  it('a refused permission is final, and nothing is shown', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Refused')
    const page = await openPretending(here, `/s/${session.id}`, 'denied')
    await page.getByRole('button', { name: 'Settings' }).click()
    await tick(page).click()
    await page.getByText('Notifications of this site are blocked').waitFor()
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

  it('their worker handles no request and caches nothing, so that nothing stale is ever shown', async () => {
    const here = world as World
    const page = await here.open('/')
    await page.evaluate('navigator.serviceWorker.ready')
    expect(await page.evaluate('caches.keys()')).toEqual([])
    const file = await fetch(`${here.url}/service-worker.js`)
    expect(file.headers.get('content-type')).toContain('javascript')
    // A new worker is found at the next visit.
    expect(file.headers.get('cache-control')).toBe('no-cache')
    expect(await file.text()).not.toMatch(/['"`]fetch['"`]|caches/)
    await page.reload()
    await page.getByRole('navigation', { name: 'Workspace' }).waitFor()
    await here.stop()
    await page.reload().catch(() => undefined)
    expect(await page.getByRole('navigation', { name: 'Workspace' }).count()).toBe(0)
    await here.start()
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
