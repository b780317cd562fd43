import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/carrel-session.ts'
import { BOB } from '../support/carrel-world.ts'
import type { Case, OpenCarrel } from './carrel.ts'
import { expectWhole } from './carrel-runs.ts'

/** Appends, so that a second run of the command would show. */
const WRITE = { run: 'echo once >> effects', ask: true }
const FORM = {
  message: 'Which colour, and how many?',
  schema: {
    type: 'object',
    properties: { colour: { type: 'string' }, count: { type: 'integer' } },
    required: ['colour'],
  },
}

export function describeQuestions(open: OpenCarrel, near: Case): void {
  describe('a question', () => {
    it('I1: of many answers at once the first wins, and the others learn whose', async () => {
      const world = await open()
      const session = await world.session()
      const { prompt } = await session.prompt([{ write: 'a.txt', content: 'a' }, { say: 'ok' }])
      const { interaction } = (await session.until('interaction.opened')).data
      const bob = session.through(world.as(BOB))
      const tries = await Promise.allSettled([
        session.answer(interaction, 'allow-once'),
        bob.answer(interaction, 'reject-once'),
        session.answer(interaction, 'reject-once'),
        bob.answer(interaction, 'allow-once'),
      ])
      const won = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(won).toHaveLength(1)
      for (const lost of tries.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))) {
        expect(lost).toMatchObject({ code: 'already_answered', data: { by: won[0]?.answeredBy } })
      }
      await session.endOf(prompt)
      const kept = await world.carrel.call('interactions.get', { workspace: world.workspace, id: interaction })
      expect(kept).toMatchObject({ state: 'answered', answer: won[0]?.answer, answeredBy: won[0]?.answeredBy })
      const allowed = JSON.stringify(kept.answer).includes('allow')
      expect(existsSync(session.path('a.txt'))).toBe(allowed)
      await expectWhole(session)
    })

    it('P6: the time of a run leaves out the time that a person took to answer, also without a budget', async () => {
      const world = await open()
      const session = await world.session()
      await session.prompt([{ write: 'a.txt', content: 'a' }])
      const opened = await session.until('interaction.opened')
      await new Promise((resolve) => setTimeout(resolve, 600))
      await session.answer(opened.data.interaction, 'allow-once')
      const ended = await session.until('run.ended')
      const [begun, answered] = [await session.until('run.started'), await session.until('interaction.answered')]
      const waited = answered.at - opened.at
      // Clocks are read at different moments of one step, so half of the wait is enough to tell.
      expect(ended.data.spent?.ms).toBeLessThan(ended.at - begun.at - waited / 2)
      expect(await session.item('run')).toMatchObject({ workedMs: ended.data.spent?.ms })
    })

    near('I1: an answer that was not offered, or to a question that is over, is refused', async () => {
      const world = await open()
      const session = await world.session()
      const { run } = await session.prompt([{ write: 'a.txt', content: 'a' }], { wait: 'started' })
      const { interaction } = (await session.until('interaction.opened')).data
      await expect(session.answer(interaction, 'whatever')).rejects.toMatchObject({ code: 'bad_input' })
      await world.carrel.call('sessions.cancel', { workspace: world.workspace, id: session.id, run: run ?? '' })
      await session.until('run.ended')
      await expect(session.answer(interaction, 'allow-once')).rejects.toMatchObject({ code: 'gone' })
      expect(await session.item('question')).toMatchObject({ state: 'withdrawn' })
      expect(existsSync(session.path('a.txt'))).toBe(false)
      const inbox = await world.carrel.call('interactions.list', { workspace: world.workspace, state: 'open' })
      expect(inbox.interactions).toEqual([])
      await expectWhole(session)
    })

    it('I2: a run that waits long releases its process, and continues when the answer comes', async () => {
      const world = await open({ parkAfterMs: 50 }, { alone: true })
      const session = await world.session()
      const { prompt } = await session.prompt([{ say: 'before' }, WRITE, { say: 'after' }])
      const parked = await session.until('run.parked')
      await eventually('the process has ended', () => world.processes().length === 0)
      expect((await world.carrel.call('server.status', {})).agentProcesses).toBe(0)
      expect(await session.row()).toMatchObject({ state: 'waiting', questions: 1 })
      const { interaction } = (await session.until('interaction.opened')).data
      await session.answer(interaction, 'allow-once')
      expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
      expect(readFileSync(session.path('effects'), 'utf8')).toBe('once\n')
      const after = (await session.log()).filter((event) => event.seq > parked.seq).map((event) => event.type)
      expect(after.filter((type) => /^(interaction|run|grant|context)/.test(type))).toEqual([
        ...['interaction.answered', 'context.opened', 'run.resumed', 'grant.used', 'run.ended'],
      ])
      await expectWhole(session)
    })

    near('I3: another question after a resume is asked anew', async () => {
      const world = await open({ parkAfterMs: 50 })
      const session = await world.session()
      const { prompt } = await session.prompt([WRITE, { write: 'second.txt', content: 'two' }, WRITE, { say: 'after' }])
      const first = await session.until('run.parked')
      await session.answer((await session.until('interaction.opened')).data.interaction, 'allow-once')
      const second = await session.until('interaction.opened', () => true, first.seq)
      expect(second.data.question.paths).toEqual([session.path('second.txt')])
      await session.answer(second.data.interaction, 'allow-once')
      // The same act a second time is a new question too: a stored answer serves once.
      const third = await session.until('interaction.opened', () => true, second.seq)
      expect(third.data.question.command).toBe(WRITE.run)
      await session.answer(third.data.interaction, 'allow-once')
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect(readFileSync(session.path('effects'), 'utf8')).toBe('once\nonce\n')
      expect(await session.eventsOf('grant.used')).toHaveLength(3)
      await expectWhole(session)
    })

    near('I4: an answer has no effect once its workspace is archived', async () => {
      const world = await open({ parkAfterMs: 50 })
      await world.carrel.call('workspaces.create', { id: 'attic' })
      const session = await world.session({ workspace: 'attic' })
      await session.prompt([WRITE, { say: 'after' }])
      await session.until('run.parked')
      const { interaction } = (await session.until('interaction.opened')).data
      await world.carrel.call('workspaces.archive', { workspace: 'attic' })
      await session
        .answer(interaction, 'allow-once')
        .catch((error) => expect(error.code).toMatch(/forbidden|gone|not_found/))
      await session.until('run.ended')
      expect(existsSync(session.path('effects'))).toBe(false)
      expect(await session.eventsOf('grant.used')).toEqual([])
    })

    near('I5: an unanswered question expires into its default while the agent waits', async () => {
      const world = await open({ questionTtlMs: 1_000 })
      const session = await world.session()
      const { prompt } = await session.prompt([WRITE, { say: 'well then' }])
      const expired = await session.until('interaction.expired')
      expect(expired.data.answer).toEqual({ option: 'reject-once' })
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect(existsSync(session.path('effects'))).toBe(false)
      await expect(session.answer(expired.data.interaction, 'allow-once')).rejects.toMatchObject({ code: 'gone' })
      expect(await session.item('question')).toMatchObject({ state: 'expired', answeredBy: null })
      await expectWhole(session)
    })

    near('I5: a question expires while its run is parked, and the run continues with the default', async () => {
      const world = await open({ questionTtlMs: 1_500, parkAfterMs: 20 })
      const session = await world.session()
      const { prompt } = await session.prompt([WRITE, { say: 'well then' }])
      const parked = await session.until('run.parked')
      const expired = await session.until('interaction.expired')
      expect(expired.seq).toBeGreaterThan(parked.seq)
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect(existsSync(session.path('effects'))).toBe(false)
      await expectWhole(session)
    })

    near('I4: rules answer in order, the first that matches, and only within their scope', async () => {
      const world = await open()
      const session = await world.session()
      const rule = (fields: object) =>
        world.carrel.call('rules.add', { workspace: world.workspace, action: 'allow', ...fields })
      const denied = await rule({ action: 'deny', toolKind: 'edit', path: 'secret/**' })
      await rule({ action: 'ask', toolKind: 'edit', path: 'doubt/**' })
      await rule({ toolKind: 'edit', path: '**' })
      await rule({ command: 'echo *' })
      const { prompt } = await session.prompt([
        { write: 'open/a.txt', content: 'a' },
        { write: 'secret/b.txt', content: 'b' },
        { run: 'echo fine', ask: true },
        { run: 'echo fine; touch sly', ask: true },
        { write: 'doubt/c.txt', content: 'c' },
      ])
      const sly = await session.until('interaction.opened')
      expect(sly.data.question.command).toBe('echo fine; touch sly')
      await session.answer(sly.data.interaction, 'reject-once')
      const doubt = await session.until('interaction.opened', () => true, sly.seq)
      expect(doubt.data.question.paths).toEqual([session.path('doubt/c.txt')])
      await session.answer(doubt.data.interaction, 'allow-once')
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect(
        ['open/a.txt', 'secret/b.txt', 'sly', 'doubt/c.txt'].map((name) => existsSync(session.path(name))),
      ).toEqual([...[true, false, false, true]])
      const ruled = await session.eventsOf('permission.ruled')
      expect(ruled.map((event) => event.data.action)).toEqual(['allow', 'deny', 'allow'])
      expect(ruled[1]?.data.rule).toBe(denied.id)
      expect((await session.items()).filter((item) => item.kind === 'tool').map((tool) => tool.ruled)).toEqual([
        ...['Allowed by a rule', 'Denied by a rule', 'Allowed by a rule', null, null],
      ])
      await expect(rule({})).rejects.toMatchObject({ code: 'bad_input' })
      await expectWhole(session)
    })

    it('I1: a form takes values by its schema, a choice one of its options', async () => {
      const world = await open()
      const session = await world.session()
      const one = {
        message: 'Which?',
        schema: { type: 'object', properties: { pick: { type: 'string', enum: ['red', 'blue'] } } },
      }
      const { prompt } = await session.prompt([
        { form: FORM },
        { form: one },
        { ask: { title: 'Left or right?', options: ['left', 'right'] } },
      ])
      const form = await session.until('interaction.opened')
      expect(form.data.question).toMatchObject({ kind: 'form', title: FORM.message, schema: FORM.schema })
      const at = { workspace: world.workspace, id: form.data.interaction }
      await expect(
        world.carrel.call('interactions.answer', { ...at, answer: { values: { count: 2 } } }),
      ).rejects.toMatchObject({ code: 'bad_input' })
      await world.carrel.call('interactions.answer', { ...at, answer: { values: { colour: 'green', count: 2 } } })
      const choice = await session.until('interaction.opened', () => true, form.seq)
      expect(choice.data.question).toMatchObject({ kind: 'choice', options: [{ id: 'red' }, { id: 'blue' }] })
      await session.answer(choice.data.interaction, 'blue')
      const ask = await session.until('interaction.opened', () => true, choice.seq)
      await session.answer(ask.data.interaction, 'right')
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      const text = (await session.items()).flatMap((item) => (item.kind === 'message' ? [item.text] : [])).join('\n')
      expect(text).toContain('"action":"accept","content":{"colour":"green","count":2}')
      expect(text).toContain('"pick":"blue"')
      expect(text).toContain('You chose: right')
      await expectWhole(session)
    })

    near('I1: a declined form reaches the agent as declined', async () => {
      const world = await open()
      const session = await world.session()
      const { prompt } = await session.prompt([{ form: FORM }])
      const { interaction } = (await session.until('interaction.opened')).data
      await world.carrel.call('interactions.answer', {
        workspace: world.workspace,
        id: interaction,
        answer: { declined: true },
      })
      await session.endOf(prompt)
      expect(await session.item('message')).toMatchObject({ text: expect.stringContaining('"decline"') })
    })

    near('P2: a parked run that is cancelled ends, and its question is withdrawn', async () => {
      const world = await open({ parkAfterMs: 20 })
      const session = await world.session()
      const { run } = await session.prompt([WRITE], { wait: 'started' })
      await session.until('run.parked')
      await world.carrel.call('sessions.cancel', { workspace: world.workspace, id: session.id })
      expect((await session.until('run.ended')).data).toMatchObject({ run, outcome: 'cancelled' })
      const { interaction } = (await session.until('interaction.opened')).data
      await expect(session.answer(interaction, 'allow-once')).rejects.toMatchObject({ code: 'gone' })
      expect((await session.run([{ say: 'next' }])).outcome).toBe('completed')
      expect(existsSync(session.path('effects'))).toBe(false)
      await expectWhole(session)
    })
  })
}
