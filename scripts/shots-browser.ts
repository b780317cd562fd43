import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions } from 'playwright-core'
import { openSession, openWorld, script, WORKSPACE, type World } from '../test/browser/world.ts'
import { browserHere } from '../test/support/browser-setup.ts'

const BROWSE = fileURLToPath(new URL('../test/support/browse.ts', import.meta.url))
const SHOP = `<!doctype html><meta charset="utf-8"><title>Seeds and tools</title>
<style>body{margin:0;font:16px/1.5 sans-serif;color:#22301f;background:#f6f3ea}header{background:#2f5d3a;color:#fff;padding:20px 32px;font-size:22px}
main{display:grid;grid-template-columns:repeat(3,1fr);gap:20px;padding:28px 32px}article{background:#fff;border-radius:8px;padding:18px}
b{display:block;height:90px;border-radius:6px;background:#cfe0bd;margin-bottom:12px}button{border:0;border-radius:6px;background:#2f5d3a;color:#fff;padding:8px 14px}</style>
<header>Seeds and tools</header><main>${['Runner beans', 'Sugar peas', 'Onion sets', 'Watering can', 'Twine', 'Labels']
  .map((name) => `<article><b></b>${name}<p><button>Add</button></p></article>`)
  .join('')}</main>`

/**
 * Takes screenshots of a run's browser beside its session: live, taken over, and queued. Names begin with the look.
 * @returns the reason why no screenshot was taken, or null
 */
export async function shootBrowsers(
  out: string,
  looks: readonly (readonly [string, BrowserContextOptions])[],
): Promise<string | null> {
  const world = await openWorld({ browserCommand: browserHere(), browsersAtOnce: 1 })
  if ('skipped' in world) return world.skipped
  const shop = createServer((_, answer) => void answer.setHeader('content-type', 'text/html').end(SHOP))
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = shop.address() as AddressInfo
    const sessions = await fillBrowsers(world, `http://127.0.0.1:${port}/`)
    for (const [look, options] of looks) {
      const page = await world.open(`/s/${sessions.first}`, options)
      const shoot = async (name: string): Promise<void> => {
        await page.waitForTimeout(900)
        await page.screenshot({ path: join(out, `${look}-browser-${name}.png`) })
      }
      await page.getByRole('button', { name: 'Show panel' }).click()
      await page.getByRole('tab', { name: 'Browser' }).click()
      const view = page.getByRole('region', { name: 'Browser view' })
      await view.getByText('Live').waitFor()
      await view.getByRole('img').waitFor()
      await shoot('live')
      await view.getByRole('button', { name: 'Take over' }).click()
      await view.getByText('You control the browser.').waitFor()
      await shoot('taken')
      await view.getByRole('button', { name: 'Hand back' }).click()
      await view.getByRole('button', { name: 'Take over' }).waitFor()
      await page.goto(`${world.url}/s/${sessions.second}`)
      await page.getByText('for a browser').waitFor()
      await shoot('waits')
      await page.goto(`${world.url}/s/${sessions.none}`)
      await page.getByRole('heading', { name: 'No browser' }).waitFor()
      await shoot('none')
      await page.context().close()
    }
    writeFileSync(join(world.folder, 'done'), '')
    if (world.complaints.length > 0) throw new Error(`The page complained: ${world.complaints.join('; ')}`)
    return null
  } finally {
    shop.close()
    await world.close()
  }
}

/** One session whose run uses a shop, one whose run is queued for a browser, and one without a run. */
async function fillBrowsers(world: World, address: string) {
  await world.carrel.call('environment.set', { workspace: WORKSPACE, settings: { browser: 'own' } })
  const { session: first } = await openSession(world, 'Compare the shops')
  const { session: second } = await openSession(world, 'Order the twine')
  const { session: none } = await openSession(world, 'Plan the autumn')
  const ask = (id: string, steps: readonly unknown[], words: string, wait: 'accepted' | 'started') =>
    world.carrel.call('sessions.prompt', { workspace: WORKSPACE, id, content: script(steps, words), wait })
  const visit = { run: `'${process.execPath}' '${BROWSE}' '${address}'` }
  await ask(first.id, [visit, { gate: 'done' }], 'Which shop has onion sets? ', 'started')
  await ask(second.id, [], 'Order a roll of twine. ', 'accepted')
  return { first: first.id, second: second.id, none: none.id }
}
