import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { openSession, script, WORKSPACE, type World } from '../test/browser/world.ts'

const BEDS = `export interface Bed {
  readonly name: string
  readonly water: number
}

/** Beds that need water today. */
export function dry(beds: readonly Bed[]): Bed[] {
  return beds.filter((bed) => bed.water < 2)
}

${Array.from({ length: 24 }, (_, at) => `export const row${at} = ${at}`).join('\n')}

export function report(beds: readonly Bed[]): string {
  return beds.map((bed) => bed.name).join(', ')
}
`
const write = (path: string, content: string) => ({ write: path, content, ask: false })

/** Two sessions that changed files of one folder, and changes of a person. */
export async function fillFiles(world: World) {
  const ask = async (id: string, steps: readonly unknown[], words: string): Promise<void> => {
    const content = script(steps, words)
    await world.carrel.call('sessions.prompt', { workspace: WORKSPACE, id, content, agent: 'scripted', wait: 'ended' })
  }
  writeFileSync(join(world.folder, 'beds.ts'), BEDS)
  const { session } = await openSession(world, 'Water the dry beds', 'scripted')
  const wet = BEDS.replace('bed.water < 2)', 'bed.water < 2 && !rain(bed.name))').replace("join(', ')", "join('\\n')")
  await ask(
    session.id,
    [
      write('beds.ts', wet),
      write('src/rain.ts', 'export const rain = (bed: string): boolean => bed === "wall"\n'),
      write('notes/today.md', '# Today\n\nThe wall is wet.\n'),
    ],
    'Water only what is dry. ',
  )
  const { session: other } = await openSession(world, 'Plan the autumn', 'scripted')
  await ask(
    other.id,
    [
      write('notes/today.md', '# Today\n\nThe wall is wet. Onions in October.\n'),
      write('plan.txt', 'beans\npeas\nonions\n'),
    ],
    'Plan the autumn. ',
  )
  return { session: session.id, other: other.id }
}

type Shoot = (page: Page, name: string) => Promise<void>

/** The views of files: in the panel, at full width, and of the whole workspace. */
export async function shootFiles(
  { open, url }: World,
  look: string,
  options: BrowserContextOptions,
  { session, shoot }: { readonly session: string; readonly shoot: Shoot },
): Promise<void> {
  const page = await open(`/s/${session}`, options)
  const changed = page.getByRole('region', { name: /^Changed \d/ }).first()
  await changed.waitFor()
  await shoot(page, `${look}-files-transcript`)
  await changed.getByRole('button', { name: /beds.ts/ }).click()
  await page.getByRole('region', { name: 'Changes in beds.ts' }).getByText('rain(bed.name)').waitFor()
  await shoot(page, `${look}-files`)
  if (!options.isMobile) {
    await page.getByRole('button', { name: 'Side by side' }).click()
    await shoot(page, `${look}-files-split`)
    await page.getByRole('button', { name: 'Unified' }).click()
    await page.getByRole('button', { name: 'Beside the transcript' }).click()
  }
  await page.getByRole('button', { name: 'Comment on line 8' }).click()
  await shoot(page, `${look}-files-comment`)
  await page.keyboard.press('Escape')
  await page.getByRole('tab', { name: 'Timeline' }).click()
  await page
    .getByRole('complementary', { name: 'Timeline' })
    .getByRole('listitem')
    .first()
    .getByRole('button')
    .first()
    .click()
  await shoot(page, `${look}-timeline`)
  await page.goto(`${url}/s/${session}`)
  await page.getByRole('button', { name: 'Hide panel' }).click()
  await changed.getByRole('button', { name: 'Undo…' }).click()
  await page.getByRole('dialog').getByRole('region', { name: 'Needs a decision' }).waitFor()
  await shoot(page, `${look}-plan`)
  await page.goto(`${url}/history`)
  await page.getByRole('listitem').filter({ hasText: 'beds.ts' }).first().waitFor()
  await shoot(page, `${look}-history`)
  if (options.isMobile) await page.getByRole('button', { name: 'Sessions' }).click()
  const menu = page.getByRole('button', { name: 'More for Space garden' })
  await menu.press('Enter')
  await page.getByRole('menuitem', { name: 'File rules…' }).press('Enter')
  await page.getByRole('dialog').getByRole('textbox', { name: 'Pattern 1', exact: true }).waitFor()
  await shoot(page, `${look}-file-rules`)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await menu.press('Enter')
  await page.getByRole('menuitem', { name: 'New project…' }).press('Enter')
  await page
    .getByRole('dialog')
    .getByRole('radio', { name: /^Overlay/ })
    .check({ force: true })
  await shoot(page, `${look}-new-project`)
  await page.context().close()
}
