import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { agentMessage, openSession, openWorld, PATIENCE, script, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true })
const queue = (page: Page) => page.getByRole('region', { name: 'Queue' })

async function send(page: Page, text: string): Promise<void> {
  await prompt(page).fill(text)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await expect.poll(() => prompt(page).inputValue(), PATIENCE).toBe('')
}

describe('a session on the page', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('L9: two pages on one session show the same, and an answer in one shows in the other', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Two pages')
    const one = await here.open(`/s/${session.id}`)
    const two = await here.open(`/s/${session.id}`)
    await send(
      one,
      script([{ say: 'First words.' }, { ask: { title: 'Go on?', options: ['yes', 'no'] } }, { say: 'Last words.' }]),
    )
    for (const page of [one, two])
      await page.getByRole('region', { name: 'Go on?' }).getByRole('button').first().waitFor()
    // By keyboard, in the other page.
    await two.locator('body').press('1')
    for (const page of [one, two]) {
      await agentMessage(page, 'Last words.').waitFor()
      await page.getByText('Completed').waitFor()
    }
    const shown = (page: Page) => page.getByRole('region', { name: 'Transcript' }).getByRole('listitem').allInnerTexts()
    await expect.poll(async () => (await shown(one)).join() === (await shown(two)).join(), PATIENCE).toBe(true)
    expect((await shown(one)).join(' ')).toContain('You chose: yes')
    expect(here.complaints).toEqual([])
  })

  it('a prompt sent during a run is queued, and can be edited and removed', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Queue')
    const page = await here.open(`/s/${session.id}`)
    await send(page, script([{ say: 'Working.' }, { hang: true }]))
    await page.getByText('Scripted agent is working').waitFor()
    await send(page, 'second thing')
    await send(page, 'third thing')
    await queue(page).getByText('third thing').waitFor()
    await queue(page).getByRole('button', { name: 'Edit: second thing' }).click()
    await page.getByRole('textbox', { name: 'Queued prompt' }).fill('second thing, better')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await queue(page).getByText('second thing, better').waitFor()
    await queue(page).getByRole('button', { name: 'Remove: third thing' }).click()
    await queue(page).getByText('third thing').waitFor({ state: 'detached' })
    const { view } = await here.carrel.call('sessions.view', { workspace: WORKSPACE, id: session.id })
    expect(view.queue.map(({ content }) => content)).toEqual([[{ type: 'text', text: 'second thing, better' }]])
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await agentMessage(page, 'You said: “second thing, better”').waitFor()
    await expect.poll(() => queue(page).count(), PATIENCE).toBe(0)
    expect(here.complaints).toEqual([])
  })

  it('a fresh tab shows prompt and end of a run that is longer than the first page', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Long run')
    const steps = Array.from({ length: 40 }, (_, at) => [{ think: `about ${at}` }, { say: `Line ${at}.` }]).flat()
    const content = script([...steps, { ask: { title: 'Enough?', options: ['yes'] } }], 'Tell a long story. ')
    await here.carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content })
    const asked = () => here.carrel.call('interactions.list', { workspace: WORKSPACE, session: session.id })
    await expect.poll(async () => (await asked()).interactions.length, PATIENCE).toBe(1)
    const page = await here.open()
    // The beginning of the run is never loaded: the page works without it.
    await page.route('**/items?*', (route) => route.abort())
    await page.goto(`${here.url}/s/${session.id}`)
    await agentMessage(page, 'Line 39.').waitFor()
    const reading = page.locator('.sticky-run')
    await reading.getByText('Tell a long story.').waitFor()
    await page.getByRole('region', { name: 'Enough?' }).getByRole('button').first().waitFor()
    await page.locator('body').press('1')
    await page.getByText('Completed').waitFor()
    await page.reload()
    await page.getByText('Completed').waitFor()
    await reading.getByText('Tell a long story.').waitFor()
    expect(here.complaints).toEqual([])
  })

  it('stop ends the active run, and the page shows it', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Stop')
    const page = await here.open(`/s/${session.id}`)
    await send(page, script([{ say: 'Until somebody stops me.' }, { hang: true }]))
    await agentMessage(page, 'Until somebody stops me.').waitFor()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByText('Cancelled', { exact: true }).waitFor()
    await expect.poll(() => page.getByRole('button', { name: 'Stop', exact: true }).count(), PATIENCE).toBe(0)
    const { runs } = await here.carrel.call('runs.list', { workspace: WORKSPACE, session: session.id })
    expect(runs.map(({ outcome }) => outcome)).toEqual(['cancelled'])
  })

  it('a failed send keeps the text, over a reload too, and shows why; a retry is one prompt', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Failed send')
    const page = await here.open(`/s/${session.id}`)
    await prompt(page).waitFor()
    // The request arrives and its response is lost: the worst moment for a retry.
    await page.route('**/prompt', async (route) => {
      await route.fetch()
      await route.abort()
    })
    await prompt(page).fill('say this once')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('Not sent. Your text is still here.').waitFor()
    expect(await prompt(page).inputValue()).toBe('say this once')
    await page.unroute('**/prompt')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await expect.poll(() => prompt(page).inputValue(), PATIENCE).toBe('')
    const { runs } = await here.carrel.call('runs.list', { workspace: WORKSPACE, session: session.id })
    expect(runs.length).toBe(1)
    await prompt(page).fill('a draft')
    await page.reload()
    expect(await prompt(page).inputValue()).toBe('a draft')
  })

  it('a form shows errors beside its fields, and sends values of the right types', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Form')
    const page = await here.open(`/s/${session.id}`)
    const schema = {
      type: 'object',
      required: ['packets'],
      properties: {
        packets: { type: 'integer', title: 'Packets', minimum: 1 },
        sort: { type: 'string', title: 'Sort', enum: ['bean', 'pea'] },
        organic: { type: 'boolean', title: 'Organic' },
      },
    }
    await send(page, script([{ form: { message: 'Order what?', schema } }]))
    const card = page.getByRole('region', { name: 'Order what?' })
    await card.getByLabel('Packets').fill('a few')
    await card.getByRole('button', { name: 'Send', exact: true }).click()
    await card.getByText('Must be a number').waitFor()
    await card.getByLabel('Packets').fill('2')
    await card.getByLabel('Sort').selectOption('pea')
    await card.getByLabel('Organic').check()
    await card.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('Completed').waitFor()
    const { interactions } = await here.carrel.call('interactions.list', { workspace: WORKSPACE, session: session.id })
    expect(interactions[0]?.answer).toEqual({ values: { packets: 2, sort: 'pea', organic: true } })
  })
})
