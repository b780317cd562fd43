import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EventOf } from '../../src/model/events/events.ts'
import { appears, type TestSession } from '../support/carrel-session.ts'
import { scriptedAgent } from '../support/carrel-world.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { expectWhole } from './carrel-runs.ts'

/** Returns the prompts in the order in which runs took them. */
async function taken(session: TestSession): Promise<string[]> {
  return (await session.eventsOf('run.admitted')).map((event: EventOf<'run.admitted'>) => event.data.prompt)
}

export function describeQueue(open: OpenCarrel, near: Case): void {
  describe('a busy session', () => {
    it('L10: queued prompts run in their order, as edited, without the withdrawn ones', async () => {
      const world = await open()
      const session = await world.session()
      const first = await session.prompt([{ gate: 'go' }, { say: 'first' }], { wait: 'started' })
      const second = await session.prompt([{ say: 'second' }])
      const third = await session.prompt([{ say: 'third' }])
      const fourth = await session.prompt([{ say: 'fourth' }])
      const at = { workspace: session.workspace, id: session.id }
      await world.carrel.call('prompts.edit', {
        ...at,
        prompt: second.prompt,
        content: '@@do [{"say":"better"}] @@end',
      })
      await world.carrel.call('prompts.withdraw', { ...at, prompt: third.prompt })
      expect((await session.view()).queue.map((queued) => queued.prompt)).toEqual([second.prompt, fourth.prompt])
      expect(await session.row()).toMatchObject({ queued: 2, state: 'running' })
      session.open('go')
      await session.endOf(fourth.prompt)
      expect(await taken(session)).toEqual([first.prompt, second.prompt, fourth.prompt])
      const said = (await session.items()).flatMap((item) => (item.kind === 'message' ? [item.text] : []))
      expect(said).toEqual(['first', 'better', 'fourth'])
      for (const gone of [second.prompt, third.prompt]) {
        await expect(world.carrel.call('prompts.withdraw', { ...at, prompt: gone })).rejects.toMatchObject({
          code: 'gone',
        })
        await expect(world.carrel.call('prompts.edit', { ...at, prompt: gone, content: 'x' })).rejects.toMatchObject({
          code: 'gone',
        })
      }
      await expectWhole(session)
    })

    near('L10: reject refuses with busy while there is work, and runs when there is none', async () => {
      const world = await open()
      const session = await world.session()
      const first = await session.prompt([{ gate: 'go' }, { say: 'first' }], { wait: 'started' })
      await expect(session.prompt([{ say: 'me' }], { busy: 'reject' })).rejects.toMatchObject({ code: 'busy' })
      session.open('go')
      await session.endOf(first.prompt)
      expect((await session.run([{ say: 'me' }], { busy: 'reject' })).outcome).toBe('completed')
      expect(await session.eventsOf('prompt.requested')).toHaveLength(2)
    })

    near('L10: interrupt cancels the run and goes before the queue', async () => {
      const world = await open()
      const session = await world.session()
      const first = await session.prompt([{ say: 'I begin' }, { gate: 'never' }], { wait: 'started' })
      const queued = await session.prompt([{ say: 'queued' }])
      const urgent = await session.prompt([{ say: 'urgent' }], { busy: 'interrupt' })
      await session.endOf(queued.prompt)
      expect(await taken(session)).toEqual([first.prompt, urgent.prompt, queued.prompt])
      const ends = await session.eventsOf('run.ended')
      expect(ends.map((event) => event.data.outcome)).toEqual(['cancelled', 'completed', 'completed'])
      await expectWhole(session)
    })

    near('L10: text that steers an agent without support for it is queued next, with the reason', async () => {
      const world = await open()
      const session = await world.session()
      await session.prompt([{ gate: 'go' }, { say: 'first' }], { wait: 'started' })
      const queued = await session.prompt([{ say: 'queued' }])
      const steer = await session.prompt([{ say: 'steered' }], { busy: 'steer' })
      const deferred = await session.until('prompt.deferred')
      expect(deferred.data).toMatchObject({
        prompt: steer.prompt,
        reason: expect.stringContaining('takes no text while it works'),
      })
      expect((await session.view()).queue.map((each) => each.prompt)).toEqual([steer.prompt, queued.prompt])
      session.open('go')
      await session.endOf(queued.prompt)
      expect((await taken(session)).slice(1)).toEqual([steer.prompt, queued.prompt])
      // Without a run to join, the text is an ordinary prompt.
      expect((await session.run([{ say: 'alone' }], { busy: 'steer' })).outcome).toBe('completed')
      await expectWhole(session)
    })

    it('P2: cancel ends the run, kills its background processes, and leaves the next run alone', async () => {
      const world = await open({}, { alone: true })
      const session = await world.session()
      const { run } = await session.prompt([{ run: 'setsid sleep 1000 & touch begun; sleep 1000' }], {
        wait: 'started',
      })
      await appears(session.path('begun'))
      const before = Date.now()
      await world.carrel.call('sessions.cancel', { workspace: session.workspace, id: session.id, run: run ?? '' })
      const next = await session.prompt([{ run: 'echo still here' }, { say: 'done' }])
      const ended = await session.until('run.ended')
      expect(ended.data).toMatchObject({ run, outcome: 'cancelled' })
      expect(ended.at - before).toBeLessThan(3_000)
      expect(commands(world.processes())).not.toContain('sleep')
      expect((await session.endOf(next.prompt)).data.outcome).toBe('completed')
      await expect(
        session.carrel.call('sessions.cancel', { workspace: session.workspace, id: session.id, run: run ?? '' }),
      ).rejects.toMatchObject({ code: 'gone' })
      await expect(
        session.carrel.call('sessions.cancel', { workspace: session.workspace, id: session.id }),
      ).rejects.toMatchObject({ code: 'gone' })
      await expectWhole(session)
    })

    near('P2: an agent that ignores a cancel is ended, and its memory serves the next prompt', async () => {
      const deaf = scriptedAgent('deaf', { env: { SCRIPTED_QUIRKS: 'no_term,no_eof' } })
      const world = await open({ agents: [deaf] }, { alone: true })
      const session = await world.session({ agent: 'deaf' })
      const { run } = await session.prompt(
        [{ say: 'working', chunks: 2 }, { run: 'kill -STOP $PPID; touch stopped; sleep 1000' }],
        {
          wait: 'started',
        },
      )
      await session.until('agent.update', (event) => JSON.stringify(event.data.update).includes('in_progress'))
      await world.carrel.call('sessions.cancel', { workspace: session.workspace, id: session.id })
      const ended = await session.until('run.ended')
      expect(ended.data).toMatchObject({ run, outcome: 'cancelled' })
      expect(world.processes()).toEqual([])
      expect((await session.run([{ say: 'back' }])).outcome).toBe('completed')
      expect((await session.eventsOf('context.opened')).map((event) => event.data.how)).toEqual(['new', 'resumed'])
    })

    near('P2: a cancelled answer keeps its text so far', async () => {
      const world = await open()
      const session = await world.session()
      const { prompt } = await session.prompt([{ say: 'half a sentence' }, { gate: 'never' }])
      await session.until('agent.update', (event) => JSON.stringify(event.data.update).includes('half a sentence'))
      await world.carrel.call('sessions.cancel', { workspace: session.workspace, id: session.id })
      expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'cancelled', error: null })
      expect(await session.item('message')).toMatchObject({ text: 'half a sentence' })
    })

    near('L10: prompts that arrive while a run settles each run exactly once', async () => {
      const world = await open({ flushMs: 0 })
      const session = await world.session()
      const prompts: string[] = []
      for (let round = 0; round < 50; round += 1) {
        const { prompt } = await session.prompt([{ say: `round ${round}` }])
        prompts.push(prompt)
        await session.endOf(prompt)
      }
      expect(await taken(session)).toEqual(prompts)
      const ends = await session.eventsOf('run.ended')
      expect(ends).toHaveLength(50)
      expect(ends.every((event) => event.data.outcome === 'completed')).toBe(true)
      await expectWhole(session)
    })
  })
}

const commands = (pids: readonly number[]): string =>
  pids
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .join('\n')
