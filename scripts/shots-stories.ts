import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import { openWorld } from '../test/browser/world.ts'
import { buildStories } from './stories.ts'

/**
 * Photographs each story into `<out>/stories`, once for each look. Names are the look and the story's title.
 * @returns why there are no pictures, or null
 */
export async function shootStories(
  out: string,
  looks: readonly (readonly [string, BrowserContextOptions])[],
): Promise<string | null> {
  const folder = buildStories()
  const world = await openWorld({}, { webFolder: folder })
  if ('skipped' in world) return world.skipped
  try {
    mkdirSync(join(out, 'stories'), { recursive: true })
    for (const [look, options] of looks) {
      const page = await world.open('/', options)
      await page.getByRole('heading', { name: 'What I found' }).waitFor()
      await page.waitForTimeout(1_200)
      for (const story of await page.locator('.story').all()) {
        const title = (await story.getAttribute('aria-label')) ?? 'story'
        const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
        await story.screenshot({ path: join(out, 'stories', `${look}-${name}.png`) })
      }
      await page.context().close()
    }
    if (world.complaints.length > 0) throw new Error(`The stories complained: ${world.complaints.join('; ')}`)
    return null
  } finally {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
