import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

const dialog = (page: Page) => page.getByRole('dialog')
const write = (path: string, content: string) => ({ write: path, content, ask: false })
const ask = (id: string, steps: readonly unknown[]) =>
  (world as World).carrel.call('sessions.prompt', { workspace: WORKSPACE, id, content: script(steps), wait: 'ended' })
const beds = (first: string, last: string) =>
  [first, ...Array.from({ length: 40 }, (_, at) => `row ${at}`), last, ''].join('\n')

describe('parts, pins and branches', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('one hunk of a file is undone, and the other hunk stays', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Before parts')
    await ask(session.id, [write('parts.txt', beds('first', 'last'))])
    const { session: second } = await openSession(here, 'Parts')
    await ask(second.id, [write('parts.txt', beds('FIRST', 'LAST'))])
    const page = await here.open(`/s/${second.id}`)
    await page.getByRole('button', { name: 'Show panel' }).click()
    const files = page.getByRole('complementary', { name: 'Files' })
    await files
      .getByRole('button', { name: /parts\.txt/ })
      .first()
      .click()
    await files.getByRole('button', { name: 'Undo change…' }).last().click()
    await dialog(page).getByRole('button', { name: 'Undo 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(readFileSync(join(here.folder, 'parts.txt'), 'utf8')).toBe(beds('FIRST', 'last'))
    expect(here.complaints).toEqual([])
  })

  it('a pinned snapshot stays pinned over a reload, until it is unpinned', async () => {
    const here = world as World
    const { session, project } = await openSession(here, 'Pins')
    await ask(session.id, [write('pinned.txt', 'one\n')])
    const page = await here.open(`/s/${session.id}`)
    const pinned = async () => {
      const { snapshots } = await here.carrel.call('history.snapshots', { workspace: WORKSPACE, project: project.id })
      return snapshots.filter((each) => each.pinned).length
    }
    const show = async () => {
      await page
        .getByRole('button', { name: /^(Show|Hide) panel$/ })
        .first()
        .waitFor()
      if (await page.getByRole('button', { name: 'Show panel' }).isVisible()) {
        await page.getByRole('button', { name: 'Show panel' }).click()
      }
      await page.getByRole('tab', { name: 'Timeline' }).click()
    }
    await show()
    await page
      .getByRole('button', { name: /: Pin$/ })
      .first()
      .click()
    await page.getByRole('button', { name: /: Unpin$/, pressed: true }).waitFor()
    expect(await pinned()).toBe(1)
    await page.reload()
    await show()
    await page.getByRole('button', { name: /: Unpin$/ }).click()
    await page.getByRole('button', { name: /: Unpin$/ }).waitFor({ state: 'detached' })
    await expect.poll(pinned, PATIENCE).toBe(0)
    expect(here.complaints).toEqual([])
  })

  it('files are restored to a snapshot of the timeline, and the conversation is forked at it', async () => {
    const here = world as World
    const { session, project } = await openSession(here, 'Going back')
    await ask(session.id, [write('back.txt', 'one\n'), { say: 'the first of both' }])
    const { snapshots } = await here.carrel.call('history.snapshots', { workspace: WORKSPACE, project: project.id })
    const n = snapshots[0]?.n ?? 0
    await ask(session.id, [write('back.txt', 'two\n'), { say: 'the second of both' }])
    const page = await here.open(`/s/${session.id}`)
    await page.getByRole('button', { name: 'Show panel' }).click()
    await page.getByRole('tab', { name: 'Timeline' }).click()
    const row = page.locator('.snapshot').filter({ has: page.getByText(`Snapshot ${n}`, { exact: true }) })
    await row.locator('.snapshot-name').click()
    await row.getByRole('button', { name: 'Restore…' }).click()
    await dialog(page).getByRole('button', { name: 'Restore 1 file' }).click()
    await dialog(page).getByRole('button', { name: 'Fork conversation' }).click()
    await page.waitForURL((url) => url.pathname.startsWith('/s/') && !url.pathname.includes(session.id), PATIENCE)
    const transcript = page.getByRole('main')
    await transcript.getByText('the first of both').first().waitFor()
    expect(await transcript.getByText('the second of both').count()).toBe(0)
    expect(readFileSync(join(here.folder, 'back.txt'), 'utf8')).toBe('one\n')
    expect(here.complaints).toEqual([])
  })

  it('the changes of a working copy are exported as a branch', { tags: ['long'] }, async () => {
    const here = world as World
    const git = (...args: string[]) => execFileSync('git', ['-C', here.folder, ...args], { encoding: 'utf8' })
    rmSync(join(here.folder, '.git'), { recursive: true, force: true })
    git('init', '--quiet', '--initial-branch=spring')
    git('add', '.')
    git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '--quiet', '-m', 'Begin')
    const { project: first } = await openSession(here, 'Before a branch')
    const project = await here.carrel.call('projects.create', {
      workspace: WORKSPACE,
      space: first.space,
      name: 'Greenhouse',
      place: 'worktree',
    })
    const place = async () => {
      const { projects } = await here.carrel.call('projects.list', { workspace: WORKSPACE })
      return projects.find(({ id }) => id === project.id)?.place.state
    }
    await expect.poll(place, PATIENCE).toBe('ready')
    const session = await here.carrel.call('sessions.create', { workspace: WORKSPACE, project: project.id })
    await ask(session.id, [write('tomato.txt', 'red\n')])
    const page = await here.open(`/s/${session.id}`)
    await page.getByRole('button', { name: 'More for project Greenhouse' }).press('Enter')
    await page.getByRole('menuitem', { name: 'Export as a branch…' }).press('Enter')
    await dialog(page).getByRole('textbox', { name: 'Branch name' }).fill('tomatoes')
    await dialog(page).getByRole('button', { name: 'Create branch' }).click()
    await page.getByText(/^Created branch tomatoes at/).waitFor()
    expect(git('show', 'tomatoes:tomato.txt')).toBe('red\n')
    expect(git('branch', '--show-current').trim()).toBe('spring')
    expect(here.complaints).toEqual([])
  })

  it('the first scan of a large folder shows its progress; then outside changes show as they happen', {
    tags: ['long'],
  }, async () => {
    const here = world as World
    const folder = join(dirname(here.folder), 'orchard')
    mkdirSync(folder)
    writeFileSync(join(folder, 'tree.txt'), 'a tree\n')
    // Hard links are quick to create and slow to scan: the first scan is long enough to be seen.
    for (let bed = 0; bed < 24; bed += 1) {
      mkdirSync(join(folder, `bed-${bed}`))
      for (let at = 0; at < 500; at += 1) linkSync(join(folder, 'tree.txt'), join(folder, `bed-${bed}`, `${at}.txt`))
    }
    const { project } = await here.carrel.call('spaces.create', { workspace: WORKSPACE, folder })
    const session = await here.carrel.call('sessions.create', { workspace: WORKSPACE, project: project.id })
    const page = await here.open()
    // Records each progress bar as `[value, max]`, however short it was visible.
    await page.addInitScript(`
      window.bars = []
      new MutationObserver(() => {
        const bar = document.querySelector('.history-note progress')
        if (bar) window.bars.push(bar.hasAttribute('value') ? [bar.value, bar.max] : null)
      }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
    `)
    let asked = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/history')) asked += 1
    })
    await page.goto(`${here.url}/s/${session.id}`)
    await page.getByRole('button', { name: 'Show panel' }).click()
    const files = page.getByRole('complementary', { name: 'Files' })
    const bars = () => page.evaluate<([number, number] | null)[]>('window.bars')
    await expect.poll(async () => (await bars()).length, PATIENCE).toBeGreaterThan(0)
    await files.locator('.history-note').waitFor({ state: 'detached' })
    const values = (await bars()).flatMap((bar) => (bar ? [bar[0]] : []))
    expect(values).toEqual([...values].sort((a, b) => a - b))
    for (const bar of await bars()) if (bar) expect(bar[0]).toBeLessThanOrEqual(bar[1])
    // A person writes a file, and the page learns it without a request.
    await page.getByRole('tab', { name: 'Timeline' }).click()
    const timeline = page.getByRole('complementary', { name: 'Timeline' })
    await timeline.getByRole('listitem').first().waitFor()
    const before = asked
    writeFileSync(join(folder, 'bed-3', 'plum.txt'), 'ripe\n')
    await timeline.getByRole('button', { name: 'Changed outside Carrel' }).click()
    await timeline.getByText('plum.txt').waitFor()
    expect(asked).toBeGreaterThan(before)
    expect(here.complaints).toEqual([])
  })
})
