import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/model/ids.ts'
import type { Skipped } from '../support/postgres.ts'
import { findings } from './axe.ts'
import { openSession, openWorld, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
let session: SessionId
beforeAll(async () => {
  world = await openWorld()
  if ('skipped' in world) return
  session = (await openSession(world, 'A session with a rather long name, as people and machines give them')).session.id
  const words =
    '# Title\n\nSome **bold** words, `code`, a [link](https://example.org).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```ts\nconst one = 1\n```'
  await ask(
    script([{ think: 'Hm.' }, { say: words }, { plan: ['one'] }, { run: 'echo hello' }, { fail: 'No more.' }]),
    'ended',
  )
  await ask(script([{ write: 'new.txt', content: 'one\ntwo\n' }]), 'started')
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

const ask = (content: string, wait: 'ended' | 'started') =>
  (world as World).carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session, content, wait })

describe('accessibility', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`the main views have no finding of axe (${colorScheme})`, {
      tags: colorScheme === 'dark' ? ['long'] : [],
    }, async () => {
      const here = world as World
      const page = await here.open('/add', { colorScheme, reducedMotion: 'reduce' })
      await page.getByText('Not installed').waitFor()
      expect(await findings(page)).toEqual([])
      await page.goto(`${here.url}/s/${session}`)
      await page
        .getByRole('region', { name: /^Write new/ })
        .getByRole('button')
        .first()
        .waitFor()
      expect(await findings(page)).toEqual([])
      await page.goto(`${here.url}/inbox`)
      await page.getByRole('list', { name: 'Open questions' }).waitFor()
      expect(await findings(page)).toEqual([])
    })
  }

  it('the page complies with its security policy: nothing it needs is refused', async () => {
    const here = world as World
    const page = await here.open(`/s/${session}`)
    const refused: string[] = []
    page.on('console', (message) => /Content Security Policy/i.test(message.text()) && refused.push(message.text()))
    await page.reload()
    await page
      .getByRole('region', { name: /^Write new/ })
      .getByRole('button')
      .first()
      .waitFor()
    await page.getByRole('combobox', { name: /^Agent:/ }).click()
    await page.getByRole('option').first().waitFor()
    expect(refused).toEqual([])
  })

  it('nothing is wider than a phone, and a question is answered there by thumb', async () => {
    const here = world as World
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
    const page = await here.open(`/s/${session}`, phone)
    const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    await page
      .getByRole('region', { name: /^Write new/ })
      .getByRole('button')
      .first()
      .waitFor()
    expect(await overflow()).toBeLessThanOrEqual(0)
    await page
      .getByRole('link', { name: /^Inbox/ })
      .last()
      .tap()
    // The card disappears from the transcript, too.
    await page.getByRole('list', { name: 'Open questions' }).waitFor()
    const card = page.getByRole('region', { name: /^Write new/ })
    const allow = card.getByRole('button', { name: /^Allow/ })
    const size = await allow.boundingBox()
    expect(size?.height).toBeGreaterThanOrEqual(44)
    expect(await overflow()).toBeLessThanOrEqual(0)
    await page.getByRole('button', { name: 'Sessions' }).tap()
    await page.getByRole('navigation', { name: 'Workspace' }).waitFor()
    expect(await overflow()).toBeLessThanOrEqual(0)
    await page.getByRole('button', { name: 'Sessions' }).tap()
    await allow.tap()
    await page.getByText('You’re all caught up').waitFor()
    const { interactions } = await here.carrel.call('interactions.list', { workspace: WORKSPACE, session })
    expect(interactions).toMatchObject([{ state: 'answered', answer: { option: 'allow-once' } }])
    // A link of the list closes the list, also a link to the current session.
    await page.goto(`${here.url}/s/${session}`)
    const prompt = page.getByRole('textbox', { name: 'Prompt' })
    await prompt.waitFor()
    await page.getByRole('button', { name: 'Sessions' }).tap()
    await prompt.waitFor({ state: 'hidden' })
    const list = page.getByRole('navigation', { name: 'Workspace' })
    await list.locator(`a[href="/s/${session}"]`).tap()
    await prompt.waitFor()
  })
})
