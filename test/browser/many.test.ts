import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, PATIENCE, WORKSPACE, type World } from './world.ts'

/** More sessions than the workspace brings, and more archived ones than one page brings. */
const MANY = 230
const ARCHIVED = 105

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
  if ('skipped' in world) return
  const { carrel } = world
  const { project } = await openSession(world, 'The very first')
  for (let at = 0; at < ARCHIVED + MANY; at += 1) {
    const name = at < ARCHIVED ? `Archived bed ${at}` : `Bed ${at - ARCHIVED}`
    const { id } = await carrel.call('sessions.create', { workspace: WORKSPACE, project: project.id, name })
    if (at < ARCHIVED) await carrel.call('sessions.archive', { workspace: WORKSPACE, id, archived: true })
  }
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

describe('hundreds of sessions', () => {
  beforeEach(({ skip }) => {
    if ('skipped' in world) skip(world.skipped)
  })

  it('the newest come with the workspace, the older ones on request, each once, until the end', async () => {
    const here = world as World
    const page = await here.open('/board')
    const rail = page.getByRole('navigation', { name: 'Workspace' })
    const first = rail.getByRole('link', { name: /The very first/ })
    await rail.getByRole('link', { name: `Bed ${MANY - 1}` }).waitFor()
    await page.getByText('200 sessions').waitFor()
    expect(await first.count()).toBe(0)
    await page.getByRole('main').getByRole('button', { name: 'Show older sessions' }).click()
    await first.waitFor()
    // Archived sessions are not among them.
    await page.getByText(`${MANY + 1} sessions`).waitFor()
    await expect.poll(() => rail.locator('.session-link').count(), PATIENCE).toBe(MANY + 1)
    await expect.poll(() => page.getByRole('button', { name: 'Show older sessions' }).count(), PATIENCE).toBe(0)
    // A change of a loaded older session arrives by the stream.
    const { sessions } = await here.carrel.call('sessions.list', { workspace: WORKSPACE, text: 'The very first' })
    const id = sessions[0]!.id
    await here.carrel.call('sessions.rename', { workspace: WORKSPACE, id, name: 'The first of all' })
    await rail.getByRole('link', { name: /The first of all/ }).waitFor()
    await here.carrel.call('sessions.delete', { workspace: WORKSPACE, id, confirm: true })
    await rail.getByRole('link', { name: /The first of all/ }).waitFor({ state: 'detached' })
    expect(here.complaints).toEqual([])
  })

  it('archived ones load in the same way', async () => {
    const here = world as World
    const page = await here.open('/board')
    await page.getByRole('button', { name: 'Show archived' }).click()
    const archived = page.getByRole('region', { name: 'Archived' })
    const rows = archived.getByRole('listitem')
    await expect.poll(() => rows.count(), PATIENCE).toBe(100)
    await archived.getByRole('button', { name: 'Show older archived sessions' }).click()
    await expect.poll(() => rows.count(), PATIENCE).toBe(ARCHIVED)
    await archived.getByText('Archived bed 0', { exact: true }).waitFor()
    await expect
      .poll(() => archived.getByRole('button', { name: 'Show older archived sessions' }).count(), PATIENCE)
      .toBe(0)
  })
})
