import { gzipSync } from 'node:zlib'
import type { Response } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { openSession, openWorld } from './world.ts'

/** Of all scripts and styles that are there before anything is pressed, compressed as gzip does. */
const MOST_BYTES = 250 * 1024

it('what a browser needs for a session’s view is below 250 kB, compressed', async ({ skip }) => {
  const world = await openWorld()
  if ('skipped' in world) return skip(world.skipped)
  onTestFinished(() => world.close())
  const { session } = await openSession(world, 'First view')
  const page = await world.open('/inbox')
  const heard: Response[] = []
  page.on('response', (response) => void heard.push(response))
  await page.goto(`${world.url}/s/${session.id}`)
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).waitFor()
  await page.waitForLoadState('load')
  const needed = heard.filter((response) => /\/assets\/.*\.(js|css)$/.test(response.url()))
  const sizes: Record<string, number> = {}
  for (const response of needed) sizes[new URL(response.url()).pathname] = gzipSync(await response.body()).byteLength
  expect(Object.keys(sizes).length).toBeGreaterThan(2)
  const whole = Object.values(sizes).reduce((sum, size) => sum + size, 0)
  expect(whole, JSON.stringify(sizes)).toBeLessThan(MOST_BYTES)
  expect(whole).toBeGreaterThan(MOST_BYTES / 10)
})
