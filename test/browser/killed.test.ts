import type { Browser, Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { startServer } from '../support/carrel-server.ts'
import { makeTestFolder } from '../support/carrel-world.ts'
import { sharedChromium } from '../support/chromium.ts'
import type { Skipped } from '../support/postgres.ts'
import { agentMessage, openSession, PATIENCE, script } from './world.ts'

let browser: Browser | Skipped
beforeAll(async () => {
  browser = await sharedChromium()
})

const rows = (page: Page) => page.getByRole('region', { name: 'Transcript' }).locator('li[data-index]').allInnerTexts()
/** Distance of the newest row to the end of the window. px. */
const belowSight = (page: Page) =>
  page.locator('.transcript').evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight))

describe('a page that follows a run', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in browser) skip(browser.skipped)
  })

  it('L6, P5: kill -9 of the server in the middle of a message, twice: no text lost or repeated, and the page stays at the newest item', {
    tags: ['long'],
  }, async () => {
    const testFolder = makeTestFolder()
    const start = (port: number) => startServer(testFolder, { port, outliveMs: 120_000 }, { page: true })
    let server = await start(0)
    const { url, token } = server
    const { session } = await openSession({ carrel: server.carrel, folder: testFolder.work() }, 'Killed')
    const context = await (browser as Browser).newContext({ viewport: { width: 1280, height: 800 } })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    await page.goto(`${url}/login?token=${token}`)
    await page.goto(`${url}/s/${session.id}`)
    const words = Array.from({ length: 240 }, (_, at) => `word${at}`).join(' ')
    const asked = script([{ say: words, chunks: 240, delayMs: 30 }])
    await page.getByRole('textbox', { name: 'Prompt' }).fill(asked)
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    for (const word of ['word12', 'word150']) {
      await agentMessage(page, word).waitFor()
      await server.kill()
      await page.getByText('Reconnecting since').waitFor()
      server = await start(Number(new URL(url).port))
      await page.getByText('Reconnecting since').waitFor({ state: 'detached' })
    }
    await page.getByText('Completed').waitFor()
    const answers = page.getByRole('article', { name: 'Message of the agent' })
    await expect.poll(() => answers.allInnerTexts(), PATIENCE).toEqual([words])
    await expect.poll(() => belowSight(page), PATIENCE).toBeLessThan(2)
    const live = await rows(page)
    await page.reload()
    await page.getByText('Completed').waitFor()
    await expect.poll(() => rows(page), PATIENCE).toEqual(live)
  })
})
