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
import type { WorkspaceId } from '../../src/model/ids.ts'
import type { Config } from '../../src/model/settings/config.ts'
import { sharedChromium } from '../support/chromium.ts'
import type { Skipped } from '../support/postgres.ts'

/** A browser, and a real server with the built page, whose only agent is the scripted one. */
export interface World {
  readonly browser: Browser
  /** A folder with a few files, for Spaces. */
  readonly folder: string
  readonly url: string
  /** Returns the address that logs a browser in. */
  loginUrl(): string
  /** Carrel as another program sees it. */
  readonly carrel: Carrel
  /** Opens a logged-in page in a context of its own. Errors of its console are added to `complaints`. */
  open(path?: string, options?: BrowserContextOptions): Promise<Page>
  /** Opens one more page in the same browser context. */
  beside(page: Page, path: string): Promise<Page>
  stop(): Promise<void>
  /** Starts the server again on the same port and data. */
  start(): Promise<void>
  close(): Promise<void>
  readonly complaints: string[]
}

/** `webFolder`: a page built elsewhere. `whole`: a browser that also shows notifications. */
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
      // An open page would go on following and rendering during all later tests.
      if (TestRunner.getCurrentTest()) onTestFinished(() => context.close())
      context.setDefaultTimeout(PATIENCE.timeout)
      // Logs in without loading the page: the page is most of the cost of a test here.
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

/** Time limit of polls without an event to wait for. Long, since it only matters for a failing test. */
export const PATIENCE = { timeout: 60_000 }

export const WORKSPACE = 'default' as WorkspaceId

/** Returns a prompt that makes the scripted agent run exactly these steps. */
export const script = (steps: readonly unknown[], words = ''): string => `${words}@@do ${JSON.stringify(steps)} @@end`

/** Finds text in messages of the agent. The prompt contains the script, so it is excluded. */
export const agentMessage = (page: Page, text: string): Locator =>
  page.getByRole('article', { name: 'Message of the agent' }).getByText(text)

/** Opens a session in the Space of the folder. The first call creates the Space. */
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
