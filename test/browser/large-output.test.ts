import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, type World } from './world.ts'
import { writeRuns } from './written-log.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

const ROW = 'a row of the long output, number '
const OUTPUT = [...Array.from({ length: 250_000 }, (_, at) => `${ROW}${at}`), 'x'.repeat(400_000), 'the very end'].join(
  '\n',
)

describe('a tool call with an output of ten megabytes', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('is cut visibly, shows the full output from the log, and the page stays responsive', async () => {
    const here = world as World
    const { session } = await openSession(here, 'Large output')
    const call = {
      sessionUpdate: 'tool_call',
      toolCallId: 'large',
      title: 'Print it all',
      kind: 'execute',
      status: 'completed',
      content: [{ type: 'content', content: { type: 'text', text: OUTPUT } }],
    }
    await writeRuns(here, session.id, [{ prompt: 'Print a lot.', updates: [call] }])
    const page = await here.open(`/s/${session.id}`)
    await page.getByRole('button', { name: /Print it all/ }).click()
    await page.getByText(/MiB hidden/).waitFor()
    // The size of the document is bounded, however much the agent sends.
    const length = (await page.locator('body').innerText()).length
    expect(length).toBeLessThan(200_000)
    await page.getByRole('button', { name: 'Show full output' }).click()
    const whole = page.getByRole('document', { name: 'Full output' })
    await whole.getByText(`${ROW}0`).first().waitFor()
    await whole.evaluate((box) => box.scrollTo(0, box.scrollHeight))
    await whole.getByText('the very end').waitFor()
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('still usable')
    expect(await page.getByRole('textbox', { name: 'Prompt', exact: true }).inputValue()).toBe('still usable')
    expect(here.complaints).toEqual([])
  })
})
