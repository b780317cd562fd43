import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import { openWorld } from '../test/browser/world.ts'
import { buildGallery } from './gallery.ts'

/**
 * Takes a screenshot of each example in each look. File names: `<out>/gallery/<look>-<title>.png`.
 * @returns the reason why no screenshot was taken, or null
 */
export async function shootGallery(
  out: string,
  looks: readonly (readonly [string, BrowserContextOptions])[],
): Promise<string | null> {
  const folder = buildGallery()
  const world = await openWorld({}, { webFolder: folder })
  if ('skipped' in world) return world.skipped
  try {
    mkdirSync(join(out, 'gallery'), { recursive: true })
    for (const [look, options] of looks) {
      const page = await world.open('/', options)
      await page.getByRole('heading', { name: 'Findings' }).waitFor()
      await page.waitForTimeout(1_200)
      for (const example of await page.locator('.example').all()) {
        const title = (await example.getAttribute('aria-label')) ?? 'example'
        const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
        await example.screenshot({ path: join(out, 'gallery', `${look}-${name}.png`) })
      }
      await page.context().close()
    }
    if (world.complaints.length > 0) throw new Error(`The gallery logged errors: ${world.complaints.join('; ')}`)
    return null
  } finally {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
