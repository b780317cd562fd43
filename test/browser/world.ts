import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { onTestFinished, TestRunner } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import { connect } from '../../src/client/client.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open.ts'
import { type HttpServer, serveHttp } from '../../src/faces/http/http.ts'
import type { Config } from '../../src/model/config.ts'
import type { WorkspaceId } from '../../src/model/ids.ts'
import { sharedChromium } from '../support/chromium.ts'
import type { Skipped } from '../support/postgres.ts'

/** A browser, and a real server with the built page, whose only agent is the scripted one. */
export interface World {
  readonly browser: Browser
  /** A folder with a few files, that Spaces can be made of. */
  readonly folder: string
  readonly url: string
  /** The address that logs a browser in. */
  loginUrl(): string
  /** Carrel as another program would see it. */
  readonly carrel: Carrel
  /** A logged-in page in a context of its own. Messages of its console that are errors are in `complaints`. */
  open(path?: string, options?: BrowserContextOptions): Promise<Page>
  /** One more page in the same browser context. */
  beside(page: Page, path: string): Promise<Page>
  stop(): Promise<void>
  /** Starts again on the same port and data. */
  start(): Promise<void>
  close(): Promise<void>
  readonly complaints: string[]
}

/** `webFolder`: another built page than that of this package. `whole`: in a browser that shows notifications, too. */
export async function openWorld(
  more: Partial<Config> = {},
  { webFolder, whole }: { webFolder?: string | undefined; whole?: boolean } = {},
): Promise<World | Skipped> {
  const browser = await sharedChromium(whole)
  if ('skipped' in browser) return browser
  const root = mkdtempSync(join(tmpdir(), 'carrel-page-'))
  const home = join(root, 'home')
  const folder = makeFolder(join(home, 'garden'))
  const complaints: string[] = []
  const contexts: BrowserContext[] = []
  let engine: Engine | null = null
  let server: HttpServer | null = null
  let port = 0
  let loginUrl = ''
  const start = async (): Promise<void> => {
    const settings = {
      dataFolder: join(root, 'data'),
      defaultAgent: 'scripted',
      logLevel: 'silent' as const,
      outliveMs: 0,
      ...more,
    }
    engine = await openEngine(settings, { home, env: { ...process.env, HOME: home } })
    server = await serveHttp(engine, { host: '127.0.0.1', port, version: '0.0.0', webFolder })
    port = server.port
    loginUrl = server.loginUrl
  }
  const stop = async (): Promise<void> => {
    await server?.close()
    await engine?.close()
    server = null
    engine = null
  }
  await start()
  const url = `http://127.0.0.1:${port}`
  const watch = (page: Page): Page => {
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text())
    })
    return page
  }
  return {
    browser,
    folder,
    url,
    complaints,
    loginUrl: () => loginUrl,
    carrel: connect({ url, token: new URL(loginUrl).searchParams.get('token') ?? '' }),
    start,
    stop,
    open: async (path = '/', options = {}) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        reducedMotion: 'reduce',
        ...options,
      })
      contexts.push(context)
      // A page that is left open goes on following and drawing beside all tests after it.
      if (TestRunner.getCurrentTest()) onTestFinished(() => context.close())
      context.setDefaultTimeout(PATIENCE.timeout)
      // The login alone, without the page behind it: a load of the page is most of what a test here costs.
      await context.request.get(loginUrl, { maxRedirects: 0 })
      const page = watch(await context.newPage())
      await page.goto(`${url}${path}`)
      return page
    },
    beside: async (page, path) => {
      const other = watch(await page.context().newPage())
      await other.goto(`${url}${path}`)
      return other
    },
    close: async () => {
      for (const context of contexts) await context.close()
      await stop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function makeFolder(folder: string): string {
  mkdirSync(join(folder, '.git'), { recursive: true })
  writeFileSync(join(folder, '.git', 'HEAD'), 'ref: refs/heads/spring\n')
  writeFileSync(join(folder, 'README.md'), '# Garden\n\nWhat grows where.\n')
  writeFileSync(join(folder, 'plan.txt'), 'beans\npeas\n')
  return folder
}

/** How long to look again for what has no event to wait for: long, since it only matters when something is broken. */
export const PATIENCE = { timeout: 60_000 }

export const WORKSPACE = 'default' as WorkspaceId

/** A prompt that makes the scripted agent do exactly this. */
export const script = (steps: readonly unknown[], words = ''): string => `${words}@@do ${JSON.stringify(steps)} @@end`

/** What the agent said, as the page shows it; the prompt, which holds the script, is not meant. */
export const said = (page: Page, words: string): Locator =>
  page.getByRole('article', { name: 'Message of the agent' }).getByText(words)

/** A session in the Space of the folder, which is made with the first one. */
export async function openSession(
  { carrel, folder }: Pick<World, 'carrel' | 'folder'>,
  name: string,
  agent = 'scripted',
) {
  const { projects } = await carrel.call('projects.list', { workspace: WORKSPACE })
  const project = projects[0] ?? (await carrel.call('spaces.create', { workspace: WORKSPACE, folder })).project
  const session = await carrel.call('sessions.create', { workspace: WORKSPACE, project: project.id, agent, name })
  return { session, project }
}
