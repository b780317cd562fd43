import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { order } from '../support/carrel-session.ts'
import { noCgroups } from '../support/cgroup-setup.ts'
import type { Skipped } from '../support/postgres.ts'
import { openSession, openWorld, WORKSPACE, type World } from './world.ts'

let world: World | Skipped
beforeAll(async () => {
  world = await openWorld()
})
afterAll(async () => {
  if (!('skipped' in world)) await world.close()
})

describe('environment settings on the page', () => {
  it('P3: variables are set for a Space from its menu, and the environment of a run is shown beside it', async ({
    skip,
  }) => {
    if ('skipped' in world) return skip(world.skipped)
    const { carrel, complaints, open } = world
    const { session } = await openSession(world, 'Environment settings')
    const page = await open(`/s/${session.id}`)
    await page.getByRole('button', { name: /^More for Space/ }).click()
    await page.getByRole('menuitem', { name: 'Environment settings…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Environment settings' })
    await dialog.getByLabel('Variables').fill('GREETING=from the page')
    await dialog.getByLabel('Home folder').selectOption('run')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('Saved. Applies to new runs.').waitFor()
    await dialog.getByRole('row', { name: 'GREETING from the page Space' }).waitFor()
    await dialog.getByRole('row', { name: 'Home folder one for each run Space' }).waitFor()
    const found = await carrel.call('environment.get', { workspace: WORKSPACE, space: session.space })
    expect(found.own).toEqual({ env: { GREETING: 'from the page' }, home: 'run' })
    await dialog.getByLabel('Variables').fill('PATH=/elsewhere')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByRole('alert').getByText(/PATH/).waitFor()
    await page.keyboard.press('Escape')

    await carrel.call('secrets.put', { workspace: WORKSPACE, name: 'TOKEN', value: 'page-canary-3' })
    const content = order([{ run: 'echo "$GREETING"' }])
    await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/run a command/).fill('environment')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Environment settings' }).waitFor()
    await page.keyboard.press('Escape')
    await page
      .getByRole('button', { name: /^(Show|Open).*panel|Panel/i })
      .first()
      .click()
    await page.getByRole('tab', { name: 'Runs' }).click()
    await page.getByRole('button', { name: 'Show environment' }).click()
    const given = page.getByRole('dialog', { name: 'Environment of this run' })
    await given.getByRole('row', { name: 'TOKEN [secret TOKEN] secret' }).waitFor()
    await given.getByText('one for each run').waitFor()
    await given.getByRole('row', { name: 'GREETING from the page Space' }).waitFor()
    expect(await page.content()).not.toContain('page-canary-3')
    expect(complaints).toEqual([])
  })

  it('P9: memory and processes are limited in the form, and a run over the limit reports it', async ({ skip }) => {
    if ('skipped' in world) return skip(world.skipped)
    if (noCgroups !== null) return skip(`only on machines with cgroups: ${noCgroups}`)
    const { carrel, complaints, open } = world
    const { session } = await openSession(world, 'Limits')
    const page = await open(`/s/${session.id}`)
    await page.getByRole('button', { name: /^More for Space/ }).click()
    await page.getByRole('menuitem', { name: 'Environment settings…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Environment settings' })
    await dialog.getByRole('button', { name: 'Limits of each run' }).click()
    const limits = dialog.getByRole('group', { name: 'Limits of each run' })
    await limits.getByLabel('Memory').fill('much')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByRole('alert').getByText('much: not a size. Use 512m or 2g.').waitFor()
    await limits.getByLabel('Memory').fill('256m')
    await limits.getByLabel('Processes').fill('96')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByRole('row', { name: 'Limit: Memory 256 MiB Space' }).waitFor()
    await dialog.getByRole('row', { name: 'Limit: Processes 96 Space' }).waitFor()
    await page.keyboard.press('Escape')

    const content = order([{ take: 2_147_483_648 }])
    await carrel.call('sessions.prompt', { workspace: WORKSPACE, id: session.id, content, wait: 'ended' })
    await page.getByText(/was ended: it and its processes used more than 256 MiB of memory/).waitFor()
    await page.getByText(/The Space sets this limit. Raise it with/).waitFor()
    await page
      .getByRole('button', { name: /^(Show|Open).*panel|Panel/i })
      .first()
      .click()
    await page.getByRole('tab', { name: 'Runs' }).click()
    await page.getByRole('button', { name: 'Show environment' }).click()
    const given = page.getByRole('dialog', { name: 'Environment of this run' })
    await given.getByText('Limit: Memory').waitFor()
    await given.getByText('256 MiB').waitFor()
    expect(complaints).toEqual([])
  })
})
