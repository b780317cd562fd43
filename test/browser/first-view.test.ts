import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { openSession, openWorld } from './world.ts'

/** Limit for all scripts and styles of the first view, compressed with gzip. Bytes. */
const MOST_BYTES = 250 * 1024

it('the scripts and styles of a session’s view are below 250 kB, compressed', async ({ skip }) => {
  const world = await openWorld()
  if ('skipped' in world) return skip(world.skipped)
  onTestFinished(() => world.close())
  const { session } = await openSession(world, 'First view')
  const page = await world.open('/inbox')
  // The previous view loads parts in advance, too.
  await page.goto('about:blank')
  const asked = new Set<string>()
  page.on('request', (request) => void asked.add(request.url()))
  // Parts that the page loads in idle time are not needed for the view, but on a slow machine they may arrive first.
  await page.addInitScript(`{
    const set = window.setTimeout
    window.setTimeout = (run, ms, ...more) => (ms >= 300 ? 0 : set(run, ms, ...more))
  }`)
  await page.goto(`${world.url}/s/${session.id}`)
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).waitFor()
  await page.waitForLoadState('load')
  const needed = [...asked].filter((url) => /\/assets\/.*\.(js|css)$/.test(url))
  const sizes: Record<string, number> = {}
  for (const url of needed) {
    const answer = await page.request.get(url)
    sizes[new URL(url).pathname] = gzipSync(await answer.body()).byteLength
  }
  expect(Object.keys(sizes).length).toBeGreaterThan(2)
  const whole = Object.values(sizes).reduce((sum, size) => sum + size, 0)
  expect(whole, JSON.stringify(sizes)).toBeLessThan(MOST_BYTES)
  expect(whole).toBeGreaterThan(MOST_BYTES / 10)
})
