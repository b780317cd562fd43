import { rmSync } from 'node:fs'
import AxeBuilder from '@axe-core/playwright'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildGallery } from '../../scripts/gallery.ts'
import type { Skipped } from '../support/postgres.ts'
import { openWorld, type World } from './world.ts'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

let world: World | Skipped
let folder = ''
beforeAll(async () => {
  folder = buildGallery()
  world = await openWorld({}, { webFolder: folder })
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the gallery: every kind in every state', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`shows without a complaint of the console or of axe (${colorScheme})`, { tags: ['long'] }, async () => {
      const here = world as World
      const page = await here.open('/', { colorScheme, reducedMotion: 'reduce' })
      await page.getByRole('region', { name: 'Banners and problems' }).waitFor()
      // The Markdown renderer has loaded once the headings are headings.
      await page.getByRole('heading', { name: 'Findings' }).waitFor()
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze()
      expect(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))).toEqual([])
      expect(here.complaints).toEqual([])
      // Axe needs time for six thousand elements.
    })
  }

  it('nothing in it is wider than a phone', { tags: ['long'], timeout: 180_000 }, async () => {
    const here = world as World
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }
    const page = await here.open('/', phone)
    await page.getByRole('heading', { name: 'Findings' }).waitFor()
    const width = await page.locator('main').evaluate((main) => main.ownerDocument.documentElement.scrollWidth)
    expect(width).toBeLessThanOrEqual(360)
  })
})
