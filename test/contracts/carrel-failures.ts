import { describe, expect, it } from 'vitest'
import { scriptedAgent } from '../support/carrel-world.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { expectWhole } from './carrel-runs.ts'

const MISSING = { id: 'ghost', name: 'Ghost', command: 'carrel-no-such-agent', install: 'npm install -g ghost-acp' }

/**
 * A run that fails has one end with a next step, and the next prompt works. `src/model/run-outcome.test.ts` has all cases
 * of an agent's answer.
 */
export function describeFailures(open: OpenCarrel, near: Case): void {
  describe('a run that fails', () => {
    it.each([
      [
        'an error of the agent',
        [{ fail: 'the model said no' }],
        { outcome: 'failed', error: { message: /the model said no/ } },
      ],
      [
        'an end that hides an error',
        [{ fail_text: 'API Error: 500 overloaded' }],
        { outcome: 'failed', error: { message: /API Error: 500/ } },
      ],
      [
        'a death with last words',
        [{ stderr: 'segmentation of the soul' }, { crash: true }],
        { outcome: 'failed', error: { stderr: /segmentation of the soul/ } },
      ],
      ['a refusal', [{ say: 'no' }, { stop: 'refusal' }], { outcome: 'refused', stopReason: 'refusal' }],
      [
        'too many tokens',
        [{ say: 'so' }, { stop: 'max_tokens' }],
        { outcome: 'over_budget', error: { message: /limit of tokens/ } },
      ],
    ] as const)('L4: %s ends it once and says so', async (_, steps, expected) => {
      const world = await open()
      const session = await world.session()
      const ended = await session.run(steps)
      expect(ended).toMatchObject(matching(expected))
      if (ended.error) expect(ended.error.next).toMatch(/\w+.*\./)
      expect(await session.eventsOf('run.ended')).toHaveLength(1)
      expect((await session.run([{ say: 'fine again' }])).outcome).toBe('completed')
      await expectWhole(session)
    })

    near('L4: a tool call that a crash interrupted is listed as half done', async () => {
      const world = await open()
      const session = await world.session()
      const update = {
        sessionUpdate: 'tool_call',
        toolCallId: 't1',
        title: 'Sweep the floor',
        kind: 'other',
        status: 'in_progress',
      }
      const ended = await session.run([{ say: 'I sweep' }, { update }, { crash: true }])
      expect(ended).toMatchObject({ outcome: 'failed', halfDone: [{ toolCallId: 't1', title: 'Sweep the floor' }] })
      expect(await session.item('tool')).toMatchObject({ status: 'interrupted' })
      expect(await session.row()).toMatchObject({ state: 'failed' })
    })

    near('L4: an agent that is not installed fails the run with instructions to install it', async () => {
      const world = await open({ agents: [MISSING] })
      const session = await world.session({ agent: 'ghost' })
      const ended = await session.run('hello')
      expect(ended.outcome).toBe('failed')
      expect(ended.error?.message).toContain('Ghost is not installed')
      expect(`${ended.error?.message} ${ended.error?.next}`).toContain('npm install -g ghost-acp')
      expect((await session.run([{ say: 'hi' }], { agent: 'scripted' })).outcome).toBe('completed')
    })

    near('L4: an agent that needs a login fails the run with instructions to log in', async () => {
      const login = 'run `shy login` in a terminal.'
      const world = await open({ agents: [scriptedAgent('shy', { login, env: { SCRIPTED_QUIRKS: 'login' } })] })
      const session = await world.session({ agent: 'shy' })
      const ended = await session.run('hello')
      expect(ended.outcome).toBe('failed')
      expect(`${ended.error?.message} ${ended.error?.next}`).toContain('shy login')
    })

    near('L4: an agent that never answers is given up after its start timeout', async () => {
      const world = await open({ agentStartMs: 1_000, agents: [{ id: 'mute', name: 'Mute', command: '/bin/cat' }] })
      const session = await world.session({ agent: 'mute' })
      const ended = await session.run('hello')
      expect(ended).toMatchObject({
        outcome: 'failed',
        error: { message: expect.stringMatching(/did not answer|did not start/) },
      })
      expect(world.processes()).toEqual([])
    })

    it('L4: an unknown agent is refused before anything is written', async () => {
      const world = await open()
      const session = await world.session()
      await expect(session.prompt('hello', { agent: 'nobody' })).rejects.toMatchObject({ code: 'bad_input' })
      const { workspace, project } = session
      await expect(world.carrel.call('sessions.create', { workspace, project, agent: 'nobody' })).rejects.toMatchObject(
        { code: 'bad_input' },
      )
      expect(await session.log()).toEqual([])
    })
  })
}

/** Returns the value with regular expressions in the place of texts. */
function matching(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (each instanceof RegExp) return [key, expect.stringMatching(each)]
      return [key, each !== null && typeof each === 'object' ? expect.objectContaining(matching(each)) : each]
    }),
  )
}
