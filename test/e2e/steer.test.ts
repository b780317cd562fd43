import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { openWorld } from '../support/carrel-world.ts'

const STEERABLE = {
  id: 'steerable',
  name: 'Steerable',
  command: process.execPath,
  args: [fileURLToPath(new URL('../support/steerable-agent.ts', import.meta.url))],
  env: { NODE_NO_WARNINGS: '1' },
  steer: 'prompt' as const,
}

it('L10: text for a running run reaches an agent that supports it, as part of that run', async () => {
  const world = await openWorld({ agents: [STEERABLE] })
  const session = await world.session({ agent: 'steerable' })
  // The log has texts and answers in order: each answer precedes the next text.
  const heard = (text: string) =>
    session.until('agent.update', ({ data }) => JSON.stringify(data.update).includes(`heard ${text}`))
  const first = await session.prompt('begin', { wait: 'started' })
  await heard('begin')
  const more = await session.prompt('look left', { busy: 'steer', wait: 'started' })
  expect(more).toMatchObject({ state: 'started', run: first.run })
  await heard('look left')
  const queued = await session.prompt('stop again')
  await session.prompt('stop', { busy: 'steer' })
  expect((await session.endOf(first.prompt)).data).toMatchObject({ run: first.run, outcome: 'completed' })
  expect((await session.endOf(queued.prompt)).data.outcome).toBe('completed')
  expect(await session.runs()).toHaveLength(2)
  const told = (await session.items()).flatMap((item) =>
    item.kind === 'message' ? [`${item.role}: ${item.text}`] : [],
  )
  expect(told).toEqual([
    ...['agent: heard begin; ', 'user: look left', 'agent: heard look left; ', 'user: stop', 'agent: heard stop; '],
    'agent: heard stop again; ',
  ])
  await expectWhole(session)
})

it('L10: text that arrives as the run ends is not lost: it runs next', async () => {
  const world = await openWorld({ agents: [STEERABLE] })
  const session = await world.session({ agent: 'steerable' })
  for (let round = 0; round < 10; round += 1) {
    const first = await session.prompt(`stop ${round}`, { wait: 'started' })
    const steer = await session.prompt(`stop too ${round}`, { busy: 'steer', wait: 'ended' })
    expect(steer.state).toBe('ended')
    await session.endOf(first.prompt)
  }
  const heard = (await session.items()).flatMap((item) =>
    item.kind === 'message' && item.role === 'agent' ? [item.text] : [],
  )
  for (let round = 0; round < 10; round += 1) {
    expect(heard.join('').split(`heard stop ${round};`)).toHaveLength(2)
    expect(heard.join('').split(`heard stop too ${round};`)).toHaveLength(2)
  }
  await expectWhole(session)
})
