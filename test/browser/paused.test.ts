import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { makeBackup } from '../../src/engine/backup/backup.ts'
import { restoreBackup } from '../../src/engine/backup/restore.ts'
import { openEngine } from '../../src/engine/open.ts'
import type { Skipped } from '../support/postgres.ts'
import { findings } from './axe.ts'
import { agentMessage, openWorld, script, WORKSPACE, type World } from './world.ts'

const top = mkdtempSync(join(tmpdir(), 'carrel-paused-'))
let world: World | Skipped
let session = ''

/** Restores a data folder whose only session has a queued prompt. */
async function restored(): Promise<string> {
  const [dataFolder, backup, copy] = [join(top, 'first'), join(top, 'backup'), join(top, 'restored')]
  const engine = await openEngine({ dataFolder, runsAtOnce: 0, logLevel: 'silent' })
  const carrel = engine.carrelFor({ name: 'ada', kind: 'person', face: 'web', workspaces: null })
  const { project } = await carrel.call('spaces.create', { workspace: WORKSPACE, name: 'Garden' })
  const made = { workspace: WORKSPACE, project: project.id, agent: 'scripted', name: 'Notes' }
  session = (await carrel.call('sessions.create', made)).id
  await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session, content: script([{ say: 'Watered.' }]) })
  await engine.close()
  const wish = { dataFolder, databaseUrl: null, filesOnly: false, version: 'test', now: Date.now() }
  await makeBackup(wish, backup, () => undefined)
  await restoreBackup(backup, copy, () => undefined)
  return copy
}

beforeAll(async () => {
  world = await openWorld({ dataFolder: await restored() })
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
  rmSync(top, { recursive: true, force: true })
})
beforeEach(({ skip }) => {
  if ('skipped' in world) skip(world.skipped)
})

it('S7: the page of a restored data folder says that it is paused and what waits; a person lets it go on there', async () => {
  const here = world as World
  const page = await here.open(`/s/${session}`)
  const banner = page.getByRole('status').filter({ hasText: 'Paused: nothing runs here.' })
  await expect.poll(() => banner.textContent()).toMatch(/restored from a backup of .*first.*Waiting: 1 queued prompt/)
  expect(await findings(page)).toEqual([])
  await banner.getByRole('button', { name: 'Let this one go on…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Let this data folder go on?' })
  await expect.poll(() => dialog.textContent()).toMatch(/Goes on here: 1 queued prompt.*work is done twice/)
  await dialog.getByRole('button', { name: 'Keep paused' }).click()
  await banner.getByRole('button', { name: 'Let this one go on…' }).click()
  await dialog.getByRole('button', { name: 'Let it go on' }).click()
  await agentMessage(page, 'Watered.').waitFor()
  await banner.waitFor({ state: 'detached' })
  await page.getByText(/This data folder goes on\. Paused instead: .*first/).waitFor()
  expect(here.complaints).toEqual([])
})
