import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Bell } from '../../src/store/bell.ts'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { startServer } from '../support/carrel-server.ts'
import { order } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld } from '../support/carrel-world.ts'

it('L5: a caller that hangs up while it waits changes nothing', async () => {
  const server = await startServer(makeTestFolder())
  const session = await server.session()
  const hangUp = new AbortController()
  const asked = fetch(`${server.url}/api/v1/workspaces/default/sessions/${session.id}/prompt`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ content: order([{ gate: 'go' }, { say: 'done all the same' }]), wait: 'ended' }),
    signal: hangUp.signal,
  })
  await session.until('run.started')
  hangUp.abort()
  await expect(asked).rejects.toThrow()
  session.open('go')
  expect((await session.until('run.ended')).data.outcome).toBe('completed')
  expect(await session.item('message')).toMatchObject({ text: 'done all the same' })
})

it('L7: with every ring lost, everything still happens, a little later', async () => {
  // Nobody hears the rings: every listener depends on its own polling.
  const deaf = (bell: Bell): Bell => ({ ...bell, ring: () => undefined, listen: () => () => undefined })
  const world = await openWorld({}, { bell: deaf })
  const session = await world.session()
  const { prompt } = await session.prompt([{ write: 'a.txt', content: 'a' }, { say: 'done' }])
  const { interaction } = (await session.until('interaction.opened')).data
  await session.answer(interaction, 'allow-once')
  expect((await session.endOf(prompt)).data.outcome).toBe('completed')
  expect(existsSync(session.path('a.txt'))).toBe(true)
  const { run } = await session.prompt([{ gate: 'never' }], { wait: 'started' })
  await session.carrel.call('sessions.cancel', { workspace: 'default', id: session.id })
  expect((await session.until('run.ended', (event) => event.data.run === run)).data.outcome).toBe('cancelled')
  await expectWhole(session)
})

it('I4: an agent may read questions, but answers none', async () => {
  const world = await openWorld()
  const session = await world.session()
  await session.prompt([{ write: 'a.txt', content: 'a' }])
  const { interaction } = (await session.until('interaction.opened')).data
  const agent = world.as({ name: 'robot', kind: 'program', face: 'mcp', workspaces: null })
  expect((await agent.call('interactions.list', { workspace: 'default' })).interactions).toHaveLength(1)
  await expect(session.through(agent).answer(interaction, 'allow-once')).rejects.toMatchObject({ code: 'forbidden' })
  await session.answer(interaction, 'reject-once')
  await session.until('run.ended')
  expect(existsSync(session.path('a.txt'))).toBe(false)
})

it('B1: a caller that belongs to one workspace sees no other, by any operation on it', async () => {
  const world = await openWorld()
  await world.carrel.call('workspaces.create', { id: 'mine' })
  await world.carrel.call('workspaces.create', { id: 'theirs' })
  const session = await world.session({ workspace: 'theirs' })
  const guest = world.as({ name: 'guest', kind: 'person', face: 'api', workspaces: ['mine'] })
  expect((await guest.call('workspaces.list', {})).workspaces.map((each) => each.id)).toEqual(['mine'])
  for (const [name, input] of [
    ['workspaces.get', { workspace: 'theirs' }],
    ['workspaces.delete', { workspace: 'theirs', confirm: true }],
    ['sessions.get', { workspace: 'theirs', id: session.id }],
    ['sessions.prompt', { workspace: 'theirs', id: session.id, content: 'hello' }],
    ['sessions.list', { workspace: 'theirs' }],
    ['interactions.list', { workspace: 'theirs' }],
    ['spaces.create', { workspace: 'theirs' }],
    ['runs.list', { workspace: 'theirs' }],
    ['rules.list', { workspace: 'theirs' }],
  ] as const) {
    await expect(guest.call(name, input as never), name).rejects.toMatchObject({ code: 'not_found' })
  }
  await expect(guest.call('workspaces.create', { id: 'another' })).rejects.toMatchObject({ code: 'forbidden' })
  expect(await session.log()).toEqual([])
})
