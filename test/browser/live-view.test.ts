import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { browserHere } from '../support/browser-setup.ts'
import type { Skipped } from '../support/postgres.ts'
import { findings } from './axe.ts'
import { openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

// A second browser and its commands take long on a busy machine.
vi.setConfig({ testTimeout: 180_000 })

const browse = fileURLToPath(new URL('../support/browse.ts', import.meta.url))
/** A page of one colour that reports input in its title. */
const GREEN = `<title>garden</title><body style="margin:0;background:#2a7f3e"><input autofocus aria-label="words"
 style="position:fixed;inset:0;width:100%;height:50%;background:#2a7f3e;border:0" oninput="document.title='typed:'+this.value"><button
 style="position:fixed;bottom:0;left:0;width:100%;height:40%" onclick="document.title='clicked'">b</button>`
const ASKS = `<title>asks</title><body style="margin:0;background:#2a7f3e"><button style="position:fixed;inset:0;width:100%;height:100%"
 onclick="document.title = 'said:' + prompt('How many beds are to be watered?', 'two')">b</button>`
const asked: string[] = []
const site = createServer(({ url = '' }, answer) => {
  asked.push(url)
  answer.setHeader('content-type', 'text/html')
  answer.end(url === '/asks' ? ASKS : GREEN)
})

let world: World | Skipped
let home = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  home = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  world = await openWorld({ browserCommand: browserHere(), browsersAtOnce: 1, historyWaitMs: 60_000 })
  if ('skipped' in world) return
  await world.carrel.call('environment.set', { workspace: WORKSPACE, settings: { browser: 'own' } })
})
afterAll(async () => {
  site.close()
  if (!('skipped' in world)) await world.close()
})

const visit = (path: string) => ({ run: `'${process.execPath}' '${browse}' '${home}${path}'` })
const panelOf = (page: Page) => page.getByRole('region', { name: 'Browser view' })
/** Returns the green channel of the picture at the centre of its upper half. */
const green = (page: Page): Promise<number> =>
  panelOf(page)
    .getByRole('img')
    .evaluate((element) => {
      const image = element as unknown as { naturalWidth: number; naturalHeight: number }
      const { document } = globalThis as unknown as { document: { createElement(name: string): Canvas } }
      const canvas = document.createElement('canvas')
      const context = canvas.getContext('2d')
      context.drawImage(image, image.naturalWidth / 2, image.naturalHeight / 4, 1, 1, 0, 0, 1, 1)
      return context.getImageData(0, 0, 1, 1).data[1] ?? 0
    })
/** The parts of a canvas that are used here. */
interface Canvas {
  getContext(kind: '2d'): {
    drawImage(image: unknown, ...at: number[]): void
    getImageData(...at: number[]): { readonly data: readonly number[] }
  }
}
const showBrowser = async (page: Page) => {
  await page.getByRole('button', { name: 'Show panel' }).click()
  await page.getByRole('tab', { name: 'Browser' }).click()
}

describe('the browser of a run, on the page', () => {
  it('is seen live, taken over by mouse and keys while the agent waits, handed back, and a screenshot is saved', {
    tags: ['long'],
  }, async ({ skip }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { carrel } = world
    const { session } = await openSession(world, 'Shop tour')
    const { session: other } = await openSession(world, 'Second in the queue')
    const steps = [visit('/first'), { gate: 'go' }, visit('/agent'), { gate: 'end' }]
    await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content: script(steps) })
    await expect.poll(() => asked, PATIENCE).toContain('/first')
    const waits = await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: other.id, content: script([]) })
    const page = await world.open(`/s/${session.id}`)
    await page.getByRole('textbox', { name: 'Prompt' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog', { name: 'Search or run a command' }).waitFor()
    await page.keyboard.type('view of the run')
    await page.keyboard.press('Enter')
    await expect.poll(async () => await panelOf(page).getByText('Live').count(), PATIENCE).toBe(1)
    await expect.poll(async () => await green(page), PATIENCE).toBeGreaterThan(100)
    await expect.poll(async () => await page.getByText('queued, next').count(), PATIENCE).toBe(1)
    const queued = await world.beside(page, `/s/${other.id}`)
    await queued.locator('.status-strip').getByText('Queued for a browser: next').waitFor()
    await queued.close()
    expect(await findings(page)).toEqual([])
    await look(page, 'live')

    await panelOf(page).getByRole('button', { name: 'Take over' }).click()
    await expect.poll(async () => await panelOf(page).getByText('You control the browser.').count(), PATIENCE).toBe(1)
    // Commands of the agent wait from now on.
    await open(session.id, 'go')
    const picture = panelOf(page).getByRole('img')
    const box = (await picture.boundingBox())!
    await page.mouse.click(box.x + box.width / 2, box.y + box.height * 0.8)
    await expect.poll(titles, PATIENCE).toContain('clicked')
    await page.mouse.click(box.x + box.width / 2, box.y + box.height * 0.25)
    await page.keyboard.type('beans')
    await expect.poll(titles, PATIENCE).toContain('typed:beans')
    expect(asked).not.toContain('/agent')
    expect(await findings(page)).toEqual([])
    await look(page, 'taken')
    await panelOf(page).getByRole('button', { name: 'Save screenshot' }).click()
    const kept = page.getByRole('img', { name: 'Screenshot of typed:beans' })
    await expect.poll(async () => await kept.count(), PATIENCE).toBe(1)
    const width = () => kept.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)
    await expect.poll(width, PATIENCE).toBeGreaterThan(200)
    await panelOf(page).getByRole('button', { name: 'Hand back' }).click()
    await expect.poll(() => asked, PATIENCE).toContain('/agent')
    await look(page, 'kept')
    await open(session.id, 'end')
    await expect
      .poll(async () => await page.getByText('Closed: the run no longer needs it').count(), PATIENCE)
      .toBeLessThan(2)
    await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: other.id, content: script([]), wait: 'ended' })
    expect(waits.state).toBe('accepted')
    await expect.poll(async () => await page.getByRole('heading', { name: 'No browser' }).count(), PATIENCE).toBe(1)
    await look(page, 'none')
  })

  it('a dialog of the page shows beside its picture: every viewer sees it, and the holder answers it', {
    tags: ['long'],
  }, async ({ skip }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { session } = await openSession(world, 'Asked')
    const steps = [visit('/asking'), { gate: 'asked' }]
    await world.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content: script(steps) })
    await expect.poll(() => asked, PATIENCE).toContain('/asking')
    const page = await world.open(`/s/${session.id}`)
    await showBrowser(page)
    const other = await world.beside(page, `/s/${session.id}`)
    await panelOf(page).getByRole('button', { name: 'Take over' }).click()
    await panelOf(page).getByRole('textbox', { name: 'Address' }).fill(`${home}/asks`)
    await page.keyboard.press('Enter')
    await expect.poll(titles, PATIENCE).toContain('asks')
    await panelOf(page).getByRole('img').click()
    const question = panelOf(page).getByRole('form', { name: 'Question from the page' })
    await question.getByText('How many beds are to be watered?').waitFor()
    const seen = panelOf(other).getByRole('form', { name: 'Question from the page' })
    await seen.getByText('Take over to answer').waitFor()
    expect(await seen.getByRole('button').count()).toBe(0)
    expect(await findings(page)).toEqual([])
    await look(page, 'asks')
    await question.getByRole('textbox', { name: 'Answer for the page' }).fill('three')
    await question.getByRole('button', { name: 'OK' }).click()
    await panelOf(page).getByText('said:three').first().waitFor()
    await seen.waitFor({ state: 'detached' })
    await open(session.id, 'asked')
    await page.context().close()
  })

  it('is used with a finger on a phone', { tags: ['long'] }, async ({ skip }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { carrel } = world
    const { session } = await openSession(world, 'By thumb')
    const steps = [visit('/phone'), { gate: 'phone' }]
    await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content: script(steps) })
    await expect.poll(() => asked, PATIENCE).toContain('/phone')
    const page = await world.open(`/s/${session.id}`, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      colorScheme: 'dark',
    })
    await showBrowser(page)
    await panelOf(page).getByRole('button', { name: 'Take over' }).tap()
    await expect.poll(async () => await panelOf(page).getByText('You control the browser.').count(), PATIENCE).toBe(1)
    const box = (await panelOf(page).getByRole('img').boundingBox())!
    await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height * 0.25)
    await panelOf(page).getByRole('textbox', { name: 'Text to type into the page' }).fill('peas')
    await panelOf(page).getByRole('button', { name: 'Type text' }).tap()
    await expect.poll(titles, PATIENCE).toContain('typed:peas')
    expect(await findings(page)).toEqual([])
    await look(page, 'phone')
    await open(session.id, 'phone')
  })
})

/** Returns the titles of the tabs of the only browser. */
async function titles(): Promise<string> {
  if ('skipped' in world) return ''
  const page = world.browser.contexts().at(-1)?.pages().at(-1)
  return (await page?.getByRole('region', { name: 'Browser view' }).textContent()) ?? ''
}

async function open(_session: string, gate: string): Promise<void> {
  if ('skipped' in world) return
  const { writeFile } = await import('node:fs/promises')
  await writeFile(join(world.folder, gate), '')
}

async function look(page: Page, name: string): Promise<void> {
  if (process.env.LOOK) await page.screenshot({ path: join(process.env.LOOK, `${name}.png`) })
}
