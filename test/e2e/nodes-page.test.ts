import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { startServer } from '../support/carrel-server.ts'
import { makeTestFolder } from '../support/carrel-world.ts'
import { sharedChromium } from '../support/chromium.ts'
import { createDatabase } from '../support/database.ts'

const postgres = inject('postgres')
if ('skipped' in postgres) it('N2: two nodes have no Postgres here', ({ skip }) => skip(postgres.skipped))

describe.skipIf('skipped' in postgres)('the page of another node', () => {
  it('N2: names the machine that a prompt waits for, since when it is away, and the command to adopt the Space', async ({
    skip,
  }) => {
    const browser = await sharedChromium()
    if ('skipped' in browser) return skip(browser.skipped)
    const database = await createDatabase()
    if ('skipped' in database) return skip(database.skipped)
    onTestFinished(database.drop)
    const start = (machineName: string) =>
      startServer(makeTestFolder(), { databaseUrl: database.url, machineName, leaseTtlMs: 1_000 }, { page: true })
    const [anvil, forge] = [await start('anvil'), await start('forge')]
    const session = await anvil.session()
    await session.run([{ say: 'Done.' }])
    await anvil.stop()
    await session.through(forge.carrel).prompt([{ say: 'later' }])
    const context = await browser.newContext({ reducedMotion: 'reduce' })
    onTestFinished(() => context.close())
    // A token of the other node logs in too.
    await context.request.get(`${forge.url}/login?token=${anvil.token}`, { maxRedirects: 0 })
    const page = await context.newPage()
    await page.goto(`${forge.url}/s/${session.id}`)
    const note = page.getByText(/^Waits for anvil, away since \d/)
    await note.waitFor()
    expect(await page.getByText(/^On anvil, away since \d/).isVisible()).toBe(true)
    expect(await note.getAttribute('title')).toContain(`carrel spaces adopt ${session.space.id}`)
  })
})
