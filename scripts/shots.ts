import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { openWorld, type World } from '../test/browser/world.ts'
import { shootBrowsers } from './shots-browser.ts'
import { fillWorld, gardener } from './shots-content.ts'
import { fillFiles, shootFiles } from './shots-files.ts'
import { shootGallery } from './shots-gallery.ts'

// `npm run shots`: takes screenshots of the main views with fixed content into dist/shots: wide and on a phone, dark
// and light, empty and full. With --readme it takes the screenshot of the README instead.
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const OUT = join(ROOT, 'dist', 'shots')
const README = join(ROOT, 'docs', 'images', 'carrel.png')
const README_MOST_BYTES = 400_000

const WIDE: BrowserContextOptions = { viewport: { width: 1280, height: 800 } }
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
}
const LOOKS = [
  ['wide-light', { ...WIDE, colorScheme: 'light' }],
  ['wide-dark', { ...WIDE, colorScheme: 'dark' }],
  ['phone-light', { ...PHONE, colorScheme: 'light' }],
  ['phone-dark', { ...PHONE, colorScheme: 'dark' }],
] as const satisfies readonly (readonly [string, BrowserContextOptions])[]

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const readmeOnly = process.argv.includes('--readme')
const world = await openWorld({ agents: [gardener(OUT)], defaultAgent: 'gardener' })
if ('skipped' in world) {
  console.error(`No pictures: ${world.skipped}.`)
  process.exit(1)
}
try {
  const looks = readmeOnly ? [] : LOOKS
  for (const [look, options] of looks) await shootEmpty(world, look, options)
  const sessions = await fillWorld(world)
  for (const [look, options] of looks) await shootFull(world, look, options, sessions)
  const { session } = await fillFiles(world)
  for (const [look, options] of looks) await shootFiles(world, look, options, { session, shoot })
  if (readmeOnly) await shootReadme(world, sessions.waiting)
  console.log(readmeOnly ? `The picture is ${README}.` : `The pictures are in ${OUT}.`)
  if (world.complaints.length > 0) throw new Error(`The page complained: ${world.complaints.join('; ')}`)
} finally {
  await world.close()
}
for (const part of readmeOnly ? [] : [shootBrowsers, shootGallery]) {
  const missing = await part(OUT, LOOKS)
  if (missing) throw new Error(`Some pictures are missing: ${missing}.`)
}

type Sessions = Awaited<ReturnType<typeof fillWorld>>

async function shootEmpty({ open, browser, url }: World, look: string, options: BrowserContextOptions): Promise<void> {
  const page = await open('/', options)
  await page.getByRole('heading', { name: 'Welcome to Carrel' }).waitFor()
  await page.getByText('Not installed').waitFor()
  await shoot(page, `${look}-start`)
  await page.goto(`${url}/inbox`)
  await page.getByText('You’re all caught up').waitFor()
  await shoot(page, `${look}-inbox-empty`)
  await page.goto(`${url}/board`)
  await page.getByText('No sessions yet').waitFor()
  await shoot(page, `${look}-board-empty`)
  await page.context().close()
  const stranger = await browser.newPage(options)
  await stranger.goto(`${url}/`)
  await stranger.getByRole('heading', { name: 'Log in to Carrel' }).waitFor()
  await shoot(stranger, `${look}-login`)
  await stranger.context().close()
}

async function shootFull(
  { open, url }: World,
  look: string,
  options: BrowserContextOptions,
  sessions: Sessions,
): Promise<void> {
  const page = await open(`/s/${sessions.waiting}`, options)
  await page.getByRole('region', { name: /^Edit/ }).waitFor()
  await shoot(page, `${look}-session-waiting`)
  for (const [name, session] of Object.entries(sessions)) {
    if (name === 'waiting') continue
    await page.goto(`${url}/s/${session}`)
    await page.getByRole('form', { name: 'Prompt' }).waitFor()
    await shoot(page, `${look}-session-${name}`)
  }
  await page.goto(`${url}/inbox`)
  await page.getByRole('list', { name: 'Open questions' }).waitFor()
  await shoot(page, `${look}-inbox`)
  await shootPlaces(page, url, look)
  if (options.isMobile) {
    await page.getByRole('button', { name: 'Sessions' }).click()
    await shoot(page, `${look}-rail`)
  } else {
    await page.goto(`${url}/s/${sessions.finished}`)
    await page.getByRole('button', { name: 'Show panel' }).click()
    await page.getByRole('tab', { name: 'Runs' }).click()
    await page.getByRole('complementary', { name: 'Runs' }).getByText('Completed').first().waitFor()
    await shoot(page, `${look}-runs`)
    await page.goto(`${url}/add`)
    await page.getByRole('heading', { name: 'Add a Space' }).waitFor()
    await shoot(page, `${look}-add`)
  }
  await page.context().close()
}

/** The views beside the session: board, search and overlays. */
async function shootPlaces(page: Page, url: string, look: string): Promise<void> {
  await page.goto(`${url}/search`)
  await page.getByText('Search all transcripts').waitFor()
  await shoot(page, `${look}-search-empty`)
  await page.getByRole('searchbox').fill('beans')
  await page.getByRole('list', { name: 'Results' }).waitFor()
  await shoot(page, `${look}-search`)
  await page.goto(`${url}/board`)
  await page.getByRole('heading', { name: 'Board' }).waitFor()
  await shoot(page, `${look}-board`)
  await page.getByRole('checkbox').first().check()
  await shoot(page, `${look}-board-marked`)
  await page.getByRole('button', { name: /^Archive/ }).click()
  await shoot(page, `${look}-board-archive`)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog', { name: 'Search or run a command' }).waitFor()
  await shoot(page, `${look}-palette`)
  await page.keyboard.type('beans')
  await shoot(page, `${look}-palette-beans`)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await shoot(page, `${look}-keys`)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  if (await page.getByRole('button', { name: 'Settings' }).isHidden())
    await page.getByRole('button', { name: 'Sessions' }).click()
  await page.getByRole('button', { name: 'Show archived' }).click()
  await page.getByRole('region', { name: 'Archived' }).waitFor()
  await shoot(page, `${look}-archived`)
  await page.getByRole('button', { name: 'Hide archived' }).click()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('dialog', { name: /^Settings/ }).waitFor()
  await shoot(page, `${look}-settings`)
  await page.goto(`${url}/inbox`)
  await page.getByRole('list', { name: 'Open questions' }).waitFor()
}

async function shootReadme({ open }: World, session: string): Promise<void> {
  const page = await open(`/s/${session}`, { viewport: { width: 1200, height: 800 }, deviceScaleFactor: 1.5 })
  await page.getByRole('region', { name: /^Edit/ }).waitFor()
  await settle(page)
  mkdirSync(join(ROOT, 'docs', 'images'), { recursive: true })
  await page.screenshot({ path: README })
  const { size } = statSync(README)
  if (size > README_MOST_BYTES) throw new Error(`${README} has ${size} bytes; ${README_MOST_BYTES} are allowed.`)
  await page.context().close()
}

async function shoot(page: Page, name: string): Promise<void> {
  await settle(page)
  await page.screenshot({ path: join(OUT, `${name}.png`) })
}

/**
 * Lazy parts (Markdown, syntax colours) arrive a moment later. Screenshots may wait a fixed time for them; tests may
 * not.
 */
async function settle(page: Page): Promise<void> {
  await page.waitForTimeout(900)
}
