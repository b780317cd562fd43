import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TestSession } from '../support/carrel-session.ts'
import { launchChromium } from '../support/chromium.ts'
import type { Skipped } from '../support/postgres.ts'
import { codex, missingAgents, qwen } from './recipes.ts'
import { openWalk, type Walk } from './walk.ts'

const missing = missingAgents()

/** Builds a prompt that tells the scripted model its answer. */
const script = (words: string, ...steps: unknown[]) => `${words} @@fake ${JSON.stringify(steps)} @@end`

let browser: Browser | Skipped
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(async () => {
  if (!('skipped' in browser)) await browser.close()
})

const said = (page: Page, words: string) =>
  page.getByRole('article', { name: 'Message of the agent' }).getByText(words, { exact: true })

async function send(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill(text)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
}

/** Waits until no run is live, and checks the text with which the page shows the end of the last run. */
async function endOf(page: Page, words: string): Promise<void> {
  await page.locator('.run-end').last().getByText(words, { exact: true }).last().waitFor()
  await page.getByRole('button', { name: 'Stop', exact: true }).waitFor({ state: 'detached' })
}

describe.skipIf(missing !== null).each([
  { name: 'codex', make: codex },
  { name: 'qwen', make: qwen },
])(`$name on the page (${missing ?? 'installed'})`, ({ make }) => {
  let walk: Walk
  const complaints: string[] = []
  beforeAll(async () => {
    walk = await openWalk(make)
  })
  afterAll(() => walk.close())
  beforeEach(({ skip }) => {
    if ('skipped' in browser) skip(browser.skipped)
  })

  /** Opens a logged-in browser on a new session. */
  async function open(): Promise<{ page: Page; session: TestSession }> {
    const session = await walk.newSession()
    const page = await (browser as Browser).newPage()
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(walk.loginUrl())
    await page.goto(`${new URL(walk.loginUrl()).origin}/s/${session.id}`)
    return { page, session }
  }

  it('an edit waits for the answer on its card; then the file exists and the page shows its change', async () => {
    const { page, session } = await open()
    const path = session.path('made.txt')
    await send(
      page,
      script('make a file', { tool: 'write', path, content: 'made by an agent\n' }, { text: 'all done' }),
    )
    const allow = page.getByRole('region', { name: 'Transcript' }).locator('.question .btn.primary')
    await allow.waitFor()
    expect(existsSync(path)).toBe(false)
    expect(await page.locator('.question').innerText()).toContain('made by an agent')
    await allow.click()
    await said(page, 'all done').waitFor()
    await endOf(page, 'Completed')
    expect(readFileSync(path, 'utf8').trim()).toBe('made by an agent')
    expect(await page.locator('.question').count()).toBe(0)
    const tool = page.locator('.tool').filter({ hasText: basename(path) })
    expect(await tool.count()).toBe(1)
    expect(await tool.innerText()).toContain('made by an agent')
    expect((await session.eventsOf('interaction.answered'))[0]?.data.by).toMatchObject({ face: 'web' })
    await page.close()
  })

  it('text appears while the agent streams it, each piece once', async () => {
    const { page } = await open()
    const words = 'one two three four five six seven eight'
    await send(page, script('talk', { gate: true, text: words, chunks: 8 }))
    const message = page.getByRole('article', { name: 'Message of the agent' })
    await message.getByText('one').waitFor()
    expect(await message.innerText()).not.toContain('eight')
    await page.getByRole('button', { name: 'Stop', exact: true }).waitFor()
    await walk.model.release()
    await endOf(page, 'Completed')
    expect(await message.allInnerTexts()).toEqual([words])
    await page.close()
  })

  it('P2: Stop ends a run in the middle of its answer, and the next prompt is answered', async () => {
    const { page, session } = await open()
    await send(page, script('talk', { text: 'cut short', chunks: 1, hang: true }))
    await said(page, 'cut short').waitFor()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await endOf(page, 'Cancelled')
    await send(page, script('again', { text: 'after the stop' }))
    await said(page, 'after the stop').waitFor()
    await endOf(page, 'Completed')
    expect((await session.runs()).map(({ outcome }) => outcome).sort()).toEqual(['cancelled', 'completed'])
    await page.close()
  })

  it('a run killed in the middle of its answer is shown as failed with the reason, and the next prompt is answered', async () => {
    const { page } = await open()
    await send(page, script('talk', { text: 'cut short', chunks: 1, hang: true }))
    await said(page, 'cut short').waitFor()
    walk.killAgent()
    await endOf(page, 'Failed')
    await page.getByText(/ended in the middle of its work/).waitFor()
    await send(page, script('again', { text: 'from a new process' }))
    await said(page, 'from a new process').waitFor()
    await endOf(page, 'Completed')
    // Neither the reload nor the new process repeats the first turn.
    await page.reload()
    await said(page, 'from a new process').waitFor()
    expect(await page.getByRole('article', { name: 'Message of the agent' }).allInnerTexts()).toEqual([
      'cut short',
      'from a new process',
    ])
    await page.close()
  })

  it('the page logged no error', () => expect(complaints).toEqual([]))
})
