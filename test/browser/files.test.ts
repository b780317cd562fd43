import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
}
const WIDE: BrowserContextOptions = { viewport: { width: 1280, height: 800 } }
const POEM = `${Array.from({ length: 40 }, (_, at) => `row ${at} of the beds`).join('\n')}\n`

const write = (path: string, content: string) => ({ write: path, content, ask: false })
const disk = (path: string): string => readFileSync(join((world as World).folder, path), 'utf8')

/** Returns a session whose run wrote these files and ended. */
async function wrote(name: string, steps: readonly unknown[]) {
  const here = world as World
  const { session, project } = await openSession(here, name)
  await ask(session.id, steps)
  return { session, project }
}

const ask = (id: string, steps: readonly unknown[], wait: 'ended' | 'started' = 'ended') =>
  (world as World).carrel.call('sessions.prompt', { workspace: WORKSPACE, id, content: script(steps), wait })

/** Opens the panel at a tab. */
async function panel(page: Page, tab: 'Files' | 'Timeline') {
  await page.getByRole('button', { name: 'Show panel' }).click()
  await page.getByRole('tab', { name: tab }).click()
  return page.getByRole('complementary', { name: tab })
}

const dialog = (page: Page) => page.getByRole('dialog')

describe.each([
  ['wide', WIDE],
  ['on a phone', PHONE],
] as const)('files (%s)', (look, options) => {
  /** On a phone, `npm test` runs one of them for all. */
  const tags = look === 'wide' ? [] : ['long']
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })
  afterEach(() => {
    if (!('skipped' in world)) expect(world.complaints.splice(0)).toEqual([])
  })

  it('changes of a run are listed in the transcript and shown line by line', { tags }, async () => {
    const name = `see-${look.slice(0, 1)}.txt`
    writeFileSync(join((world as World).folder, name), POEM)
    const { session } = await wrote(`See ${look}`, [write(name, POEM.replace('row 20 of', 'row twenty of'))])
    const page = await (world as World).open(`/s/${session.id}`, options)
    await page
      .getByRole('region', { name: 'Changed 1 file' })
      .getByRole('button', { name: new RegExp(name) })
      .click()
    const files = page.getByRole('complementary', { name: 'Files' })
    const diff = files.getByRole('region', { name: `Changes in ${name}` })
    await diff.getByText('row twenty of the beds').waitFor()
    await diff.getByText('row 20 of the beds').waitFor()
    // The rest of the file is folded.
    expect(await diff.getByText('row 2 of the beds').count()).toBe(0)
    await diff.getByRole('button', { name: 'Show 17 lines' }).click()
    await diff.getByText('row 2 of the beds').waitFor()
    await files.getByRole('checkbox', { name: `Viewed: ${name}` }).check()
    await files.getByText('1 of 1 viewed').waitFor()
    await page.reload()
    await page.getByRole('complementary', { name: 'Files' }).getByText('1 of 1 viewed').waitFor()
  })

  it('a comment on a line becomes the next prompt, and survives a reload until then', { tags }, async () => {
    const name = `say-${look.slice(0, 1)}.txt`
    const { session } = await wrote(`Say ${look}`, [write(name, 'beans\npeas\n')])
    const page = await (world as World).open(`/s/${session.id}`, options)
    const files = await panel(page, 'Files')
    await files.getByRole('button', { name: new RegExp(`created.*${name}`) }).click()
    await files.getByRole('button', { name: 'Comment on line 2' }).click()
    const field = files.getByRole('textbox', { name: 'Comment on line 2' })
    await field.fill('Use sweet peas.')
    await field.press('Control+Enter')
    await page.reload()
    const bar = page.getByRole('region', { name: 'Comments for the next prompt' })
    await bar.getByText('1 comment').waitFor()
    await bar.getByRole('button', { name: 'Send as prompt' }).click()
    await bar.waitFor({ state: 'detached' })
    const prompted = async () => {
      const { items } = await (world as World).carrel.call('sessions.items', { workspace: WORKSPACE, id: session.id })
      return items
        .flatMap((item) => (item.kind === 'run' ? item.content : []))
        .map((block) => (block.type === 'text' ? block.text : ''))
    }
    await expect.poll(prompted, PATIENCE).toContain(`${name}:2\n\`\`\`\npeas\n\`\`\`\nUse sweet peas.`)
  })

  it('the changes of one session are undone, and a file of another session is not touched', async () => {
    const mine = `mine-${look.slice(0, 1)}.txt`
    const theirs = `theirs-${look.slice(0, 1)}.txt`
    const { session } = await wrote(`Mine ${look}`, [write(mine, 'mine\n')])
    await wrote(`Theirs ${look}`, [write(theirs, 'theirs\n')])
    const page = await (world as World).open(`/s/${session.id}`, options)
    await page.getByRole('region', { name: 'Changed 1 file' }).getByRole('button', { name: 'Undo…' }).click()
    await dialog(page).getByText(mine).waitFor()
    expect(await dialog(page).getByText(theirs).count()).toBe(0)
    await dialog(page).getByRole('button', { name: 'Undo 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(existsSync(join((world as World).folder, mine))).toBe(false)
    expect(disk(theirs)).toBe('theirs\n')
    // The undo is undone in turn.
    await dialog(page).getByRole('button', { name: 'Undo…' }).click()
    await dialog(page).getByRole('button', { name: 'Undo 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(disk(mine)).toBe('mine\n')
  })

  it('a path that another session wrote later needs a decision: left, then overwritten', { tags }, async () => {
    const name = `both-${look.slice(0, 1)}.txt`
    const { session } = await wrote(`First ${look}`, [write(name, 'first\n')])
    await wrote(`Second ${look}`, [write(name, 'second\n')])
    const page = await (world as World).open(`/s/${session.id}`, options)
    const undo = page.getByRole('region', { name: 'Changed 1 file' }).getByRole('button', { name: 'Undo…' })
    await undo.click()
    const group = dialog(page).getByRole('region', { name: 'Needs a decision' })
    await group.getByText(`last written by Second ${look}`).waitFor()
    const act = dialog(page).getByRole('button', { name: /^Undo \d/ })
    expect(await act.isDisabled()).toBe(true)
    await group.getByRole('radio', { name: 'Leave unchanged' }).check({ force: true })
    await act.click()
    await dialog(page).getByText('1 file left unchanged.').waitFor()
    expect(disk(name)).toBe('second\n')
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await undo.click()
    await group.getByRole('radio', { name: 'Overwrite' }).check({ force: true })
    await act.click()
    await dialog(page).getByText('1 file written.').waitFor()
    await dialog(page).getByText(`last written by Second ${look}`).waitFor()
    expect(existsSync(join((world as World).folder, name))).toBe(false)
  })

  it('the working copy is restored to a snapshot of the timeline, after a plan of the writes', { tags }, async () => {
    const name = `time-${look.slice(0, 1)}.txt`
    const { session } = await wrote(`Time ${look}`, [write(name, 'early\n')])
    await ask(session.id, [write(name, 'late\n')])
    const page = await (world as World).open(`/s/${session.id}`, options)
    const timeline = await panel(page, 'Timeline')
    await timeline.getByRole('textbox', { name: 'Filter by path' }).fill(name)
    await expect.poll(() => timeline.getByRole('listitem').count(), PATIENCE).toBe(2)
    await timeline.getByRole('listitem').last().getByRole('button').first().click()
    await timeline.getByRole('button', { name: 'Restore…' }).click()
    await dialog(page)
      .getByRole('button', { name: `Show changes in ${name}` })
      .click()
    await dialog(page).getByText('early', { exact: true }).waitFor()
    await dialog(page).getByRole('button', { name: 'Restore 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(disk(name)).toBe('early\n')
  })
})

describe('files that change in the meantime', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('a stale plan writes nothing and shows the new plan', async () => {
    const { session } = await wrote('Stale', [write('stale.txt', 'one\n'), write('still.txt', 'one\n')])
    const page = await (world as World).open(`/s/${session.id}`)
    await page.getByRole('region', { name: 'Changed 2 files' }).getByRole('button', { name: 'Undo…' }).click()
    await dialog(page).getByText('stale.txt').waitFor()
    writeFileSync(join((world as World).folder, 'stale.txt'), 'by hand\n')
    await dialog(page).getByRole('button', { name: 'Undo 2 files' }).click()
    await dialog(page).getByText('The files changed in the meantime.').waitFor()
    await dialog(page).getByText('Changed in the plan: stale.txt').waitFor()
    expect(disk('still.txt')).toBe('one\n')
    await dialog(page).getByRole('radio', { name: 'Leave unchanged' }).check({ force: true })
    await dialog(page).getByRole('button', { name: 'Undo 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(disk('stale.txt')).toBe('by hand\n')
    expect(existsSync(join((world as World).folder, 'still.txt'))).toBe(false)
    rmSync(join((world as World).folder, 'stale.txt'))
  })

  it('a diff is shown side by side or unified, as this browser prefers', async () => {
    writeFileSync(join((world as World).folder, 'side.txt'), POEM)
    const { session } = await wrote('Side', [write('side.txt', POEM.replace('row 3 of', 'row three of'))])
    const page = await (world as World).open(`/s/${session.id}`)
    const files = await panel(page, 'Files')
    await files.getByRole('button', { name: /changed.*side.txt/ }).click()
    await files.getByText('row three of the beds').waitFor()
    await files.getByRole('button', { name: 'Side by side' }).click()
    const row = files.getByRole('row').filter({ hasText: 'row three of the beds' })
    await row.filter({ hasText: 'row 3 of the beds' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Full width' }).click()
    await files.getByRole('button', { name: /changed.*side.txt/ }).click()
    await row.filter({ hasText: 'row 3 of the beds' }).waitFor()
    await files.getByRole('button', { name: 'Unified' }).click()
    await expect.poll(() => row.filter({ hasText: 'row 3 of the beds' }).count(), PATIENCE).toBe(0)
  })

  it('only the selected hunks of a file are undone', async () => {
    writeFileSync(join((world as World).folder, 'parts.txt'), POEM)
    const changed = POEM.replace('row 3 of', 'row three of').replace('row 30 of', 'row thirty of')
    const { session } = await wrote('Parts', [write('parts.txt', changed)])
    const page = await (world as World).open(`/s/${session.id}`)
    await page.getByRole('region', { name: 'Changed 1 file' }).getByRole('button', { name: 'Undo…' }).click()
    await dialog(page)
      .getByRole('button', { name: /parts\.txt/ })
      .click()
    const parts = dialog(page).getByRole('checkbox', { name: 'Include this change' })
    await expect.poll(() => parts.count(), PATIENCE).toBe(2)
    await parts.nth(1).uncheck()
    await dialog(page).getByRole('button', { name: 'Undo 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(disk('parts.txt')).toBe(POEM.replace('row 30 of', 'row thirty of'))
  })

  it('the history lists changes of the whole workspace, and file rules are changed and checked', async () => {
    await wrote('History', [write('told.txt', 'told\n')])
    const page = await (world as World).open('/history')
    const row = page.getByRole('listitem').filter({ hasText: 'told.txt' })
    await row.getByRole('link', { name: 'History' }).waitFor()
    await row.getByRole('button').first().click()
    await page.getByRole('region', { name: 'Changes in told.txt' }).getByText('told', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'More for Space garden' }).press('Enter')
    await page.getByRole('menuitem', { name: 'File rules…' }).press('Enter')
    await dialog(page).getByRole('button', { name: 'Add pattern' }).click()
    await dialog(page)
      .getByRole('textbox', { name: /^Pattern/ })
      .last()
      .fill('told.txt')
    await dialog(page)
      .getByRole('combobox', { name: /^Action/ })
      .last()
      .selectOption('blocked')
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await dialog(page).getByText('File rules saved.').waitFor()
    await dialog(page)
      .getByRole('textbox', { name: /^Check a path/ })
      .fill('told.txt')
    await dialog(page).getByText('work: blocked, by rule told.txt.').waitFor()
  })

  it('a project with its own working copy is created, applied, exported, and its working copy removed', async () => {
    const here = world as World
    await openSession(here, 'Before')
    const page = await here.open('/board')
    await page.getByRole('button', { name: 'More for Space garden' }).press('Enter')
    await page.getByRole('menuitem', { name: 'New project…' }).press('Enter')
    await dialog(page).getByRole('textbox', { name: 'Name' }).fill('Apart')
    await dialog(page)
      .getByRole('radio', { name: /^Overlay/ })
      .check({ force: true })
    await dialog(page).getByRole('button', { name: 'Create project' }).click()
    await dialog(page).waitFor({ state: 'detached' })
    const apart = async () => {
      const { projects } = await here.carrel.call('projects.list', { workspace: WORKSPACE })
      return projects.find(({ name }) => name === 'Apart')
    }
    await expect.poll(async () => (await apart())?.place.state, PATIENCE).toBe('ready')
    const project = (await apart())!
    const session = await here.carrel.call('sessions.create', {
      workspace: WORKSPACE,
      project: project.id,
      name: 'Apart',
    })
    await ask(session.id, [write('brought.txt', 'from afar\n'), write('plan.txt', 'beans\npeas\nleek\n')])
    expect(existsSync(join(here.folder, 'brought.txt'))).toBe(false)
    await page.goto(`${here.url}/s/${session.id}`)
    await page.getByRole('button', { name: 'Apply…' }).click()
    await dialog(page).getByText('brought.txt').waitFor()
    await dialog(page).getByRole('checkbox', { name: 'Include plan.txt' }).uncheck()
    await dialog(page).getByRole('button', { name: 'Apply 1 file' }).click()
    await dialog(page).getByText('1 file written.').waitFor()
    expect(disk('brought.txt')).toBe('from afar\n')
    expect(disk('plan.txt')).toBe('beans\npeas\n')
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    const menu = page.getByRole('button', { name: 'More for project Apart' })
    await menu.press('Enter')
    const patch = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: 'Download patch' }).press('Enter')
    expect(readFileSync(await (await patch).path(), 'utf8')).toContain('+leek')
    await menu.press('Enter')
    await page.getByRole('menuitem', { name: 'Remove working copy…' }).press('Enter')
    await dialog(page).getByText('plan.txt').waitFor()
    await dialog(page).getByRole('button', { name: 'Remove working copy' }).click()
    await dialog(page).getByText('Working copy removed.').waitFor()
    await expect.poll(async () => (await apart())?.place.state, PATIENCE).toBe('removed')
    expect(here.complaints).toEqual([])
  })
})
