import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { type CutProxy, startProxy } from './cut-proxy.ts'
import { agentMessage, openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
let proxy: CutProxy
beforeAll(async () => {
  proxy = await startProxy(() => (world as World).url)
  world = await openWorld({ allowedHosts: [proxy.host] })
})
afterAll(async () => {
  await proxy.close()
  if (!('skipped' in world)) await world.close()
})

const items = (page: Page) => page.getByRole('region', { name: 'Transcript' }).locator('li[data-index]').allInnerTexts()

/** Returns the first fully visible message and its offset from the top. Waits until the layout is stable. */
async function firstInSight(page: Page): Promise<{ text: string; top: number }> {
  let last = ''
  for (;;) {
    const box = await page.locator('.transcript').boundingBox()
    for (const message of await page.locator('.transcript .message').all()) {
      const place = await message.boundingBox()
      if (!box || !place || place.y < box.y + 40) continue
      const found = { text: await message.innerText(), top: place.y }
      if (JSON.stringify(found) === last) return found
      last = JSON.stringify(found)
      break
    }
  }
}

const topOf = async (page: Page, text: string): Promise<number> =>
  (await page.locator('.transcript .message').getByText(text, { exact: true }).boundingBox())?.y ?? Number.NaN

/** Freezes the page as a browser freezes a background tab. Returns a function that wakes it. */
async function sleep(page: Page): Promise<() => Promise<void>> {
  const line = await page.context().newCDPSession(page)
  await line.send('Page.setWebLifecycleState', { state: 'frozen' })
  return async () => {
    await line.send('Page.setWebLifecycleState', { state: 'active' })
  }
}

/** Returns whether the item of the address is visible. */
async function inSight(page: Page): Promise<boolean> {
  const box = await page.locator('.transcript').boundingBox()
  const item = await page.locator('.transcript li[data-target]').boundingBox()
  return box !== null && item !== null && item.y >= box.y && item.y + item.height <= box.y + box.height
}

describe('the connection to the server', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('L6: a page that was cut off shows it, and afterwards has every item once', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Cut')
    const ask = (content: string) =>
      here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
    await ask(script([{ say: 'Said before the cut.' }]))
    const page = await here.open(`/s/${session.id}`)
    await agentMessage(page, 'Said before the cut.').waitFor()
    await here.stop()
    await page.getByText('Reconnecting since').waitFor()
    // A stale page is marked, and a draft can still be written.
    await expect.poll(() => page.locator('.shell[data-stale]').count(), PATIENCE).toBe(1)
    await page.getByRole('textbox', { name: 'Prompt' }).fill('typed while offline')
    await here.start()
    await ask(script([{ say: 'Said while away.' }, { plan: ['one', 'two'] }]))
    await page
      .getByRole('button', { name: 'Retry now' })
      .click({ timeout: 1_000 })
      .catch(() => undefined)
    await agentMessage(page, 'Said while away.').waitFor()
    await page.getByText('Reconnecting since').waitFor({ state: 'detached' })
    await ask(script([{ say: 'Said afterwards.' }]))
    await agentMessage(page, 'Said afterwards.').waitFor()
    expect(await page.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('typed while offline')
    // The end of the run is a row of its own, which arrives a moment after its message.
    await page.locator('.transcript').getByText('Completed').nth(2).waitFor()
    const live = await items(page)
    await page.reload()
    await agentMessage(page, 'Said afterwards.').waitFor()
    await expect.poll(() => items(page), PATIENCE).toEqual(live)
    expect(live.filter((text) => text.includes('Said before the cut.') && !text.includes('@@do'))).toHaveLength(1)
    expect(live.filter((text) => text.includes('Said while away.') && !text.includes('@@do'))).toHaveLength(1)
    expect(here.complaints.filter((text) => !/ERR_|fetch/i.test(text))).toEqual([])
  })

  it('L6: connections that break in the middle of a message lose no text and repeat none', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Broken')
    const page = await here.open('/')
    await page.goto(here.loginUrl().replace(here.url, proxy.url))
    await page.goto(`${proxy.url}/s/${session.id}`)
    const words = Array.from({ length: 120 }, (_, at) => `word${at}`).join(' ')
    await page.getByRole('textbox', { name: 'Prompt' }).fill(script([{ say: words, chunks: 120, delayMs: 20 }]))
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    for (const word of ['word5', 'word30', 'word60']) {
      await agentMessage(page, word).waitFor()
      proxy.cut(word === 'word30')
      if (word === 'word30') {
        await page.getByText('Reconnecting since').waitFor()
        proxy.open()
      }
    }
    await page.getByText('Completed').waitFor()
    await expect
      .poll(() => page.getByRole('article', { name: 'Message of the agent' }).allInnerTexts(), PATIENCE)
      .toEqual([words])
  })

  it('L6: a tab that slept during many messages has every item once, and keeps its position: at the newest item or further up', {
    tags: ['long'],
  }, async () => {
    const here = world as World
    const { session } = await openSession(here, 'Asleep')
    const ask = (name: string, count: number) => {
      const steps = Array.from({ length: count }, (_, at) => [
        { think: `${name} ${at}` },
        { say: `${name} line ${at}.` },
      ])
      const content = script(steps.flat())
      return here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
    }
    await ask('Early', 40)
    const atEnd = await here.open(`/s/${session.id}`)
    const reader = await here.open(`/s/${session.id}`)
    for (const page of [atEnd, reader]) await agentMessage(page, 'Early line 39.').waitFor()
    await reader.locator('.transcript').hover()
    await reader.mouse.wheel(0, -600)
    const reading = await firstInSight(reader)
    const wakers = await Promise.all([atEnd, reader].map(sleep))
    await ask('Night', 20)
    for (const wake of wakers) await wake()
    await agentMessage(atEnd, 'Night line 19.').waitFor()
    const below = (page: Page) =>
      page.locator('.transcript').evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight))
    await expect.poll(() => below(atEnd), PATIENCE).toBeLessThan(2)
    await reader.getByRole('button', { name: 'Newest' }).waitFor()
    await expect.poll(async () => Math.abs((await topOf(reader, reading.text)) - reading.top), PATIENCE).toBeLessThan(3)
    // The number of rows rendered above the window is up to the list.
    const newest = async () => (await items(atEnd)).slice(-16)
    const live = await newest()
    await atEnd.reload()
    await agentMessage(atEnd, 'Night line 19.').waitFor()
    await expect.poll(newest, PATIENCE).toEqual(live)
  })

  it('long sessions open at the newest item, and older pages come without a jump', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Long')
    const steps = Array.from({ length: 150 }, (_, at) => [
      { think: `about ${at}` },
      { say: `Line ${at} of the story.` },
    ])
    const content = script(steps.flat())
    await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
    const page = await here.open(`/s/${session.id}`)
    await agentMessage(page, 'Line 149 of the story.').waitFor()
    const box = page.locator('.transcript')
    expect(
      await box.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight),
    ).toBeLessThan(2)
    // The older page is held back, so that the visible row is known when it arrives.
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let asked = false
    await page.route('**/items?*', async (route) => {
      asked = true
      await held
      await route.continue()
    })
    await box.hover()
    while (!asked) await page.mouse.wheel(0, -500)
    const reading = await firstInSight(page)
    const before = await box.evaluate((element) => element.scrollHeight)
    release()
    await expect.poll(() => box.evaluate((element) => element.scrollHeight), PATIENCE).toBeGreaterThan(before * 1.5)
    await expect.poll(async () => Math.abs((await topOf(page, reading.text)) - reading.top), PATIENCE).toBeLessThan(3)
    await page.getByRole('button', { name: 'Newest' }).click()
    await agentMessage(page, 'Line 149 of the story.').waitFor()
    // The address of a far older item scrolls to it.
    await page.unrouteAll()
    const old = await here.carrel.call('sessions.items', { workspace: WORKSPACE, id: session.id, before: 40, limit: 1 })
    await page.goto(`${here.url}/inbox`)
    await page.goto(`${here.url}/s/${session.id}#${old.items[0]?.n}`)
    await page.locator('.transcript li[data-target]').waitFor()
    await expect.poll(() => inSight(page), PATIENCE).toBe(true)
  })

  it('L9: a reader at the newest item keeps few items in memory; the first ones load again on scrolling up, each once and in order', {
    tags: ['long'],
  }, async () => {
    const here = world as World
    const { session } = await openSession(here, 'Let go')
    const page = await here.open(`/s/${session.id}`)
    await page.getByRole('textbox', { name: 'Prompt' }).waitFor()
    let asked = 0
    page.on('request', (request) => {
      if (request.url().includes('/items?')) asked += 1
    })
    const lines = Array.from({ length: 180 }, (_, at) => `Line ${at} of the story.`)
    const steps = lines.map((line, at) => [{ think: `about ${at}` }, { say: line }])
    for (const turn of [steps.slice(0, 90), steps.slice(90)]) {
      const content = script(turn.flat())
      await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
    }
    await agentMessage(page, lines.at(-1)!).waitFor()
    const box = page.locator('.transcript')
    const below = () => box.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight)
    await expect.poll(below, PATIENCE).toBeLessThan(2)
    // From the newest to the first: the visible lines at each step are consecutive.
    const seen = new Set<number>()
    await box.hover()
    while (!seen.has(0)) {
      const texts = await page.locator('.transcript .message').allInnerTexts()
      const found = texts.map((text) => lines.indexOf(text))
      expect(found).toEqual(found.map((_, at) => found[0]! + at))
      for (const at of found) seen.add(at)
      await page.mouse.wheel(0, -600)
    }
    expect(asked).toBeGreaterThan(1)
    expect(seen.size).toBe(lines.length)
    // Back at the end, as few items as before are loaded.
    const most = await box.evaluate((element) => element.scrollHeight)
    await page.getByRole('button', { name: 'Newest' }).click()
    await agentMessage(page, lines.at(-1)!).waitFor()
    await expect.poll(() => box.evaluate((element) => element.scrollHeight), PATIENCE).toBeLessThan(most * 0.7)
    await expect.poll(below, PATIENCE).toBeLessThan(2)
    // A released item is found by its address.
    const { items: old } = await here.carrel.call('sessions.items', {
      workspace: WORKSPACE,
      id: session.id,
      before: 40,
    })
    await page.evaluate(`location.hash = '${old[0]?.n}'`)
    await page.locator('.transcript li[data-target]').waitFor()
    await expect.poll(() => inSight(page), PATIENCE).toBe(true)
    expect(here.complaints.filter((text) => !/ERR_|fetch/i.test(text))).toEqual([])
  })
})
