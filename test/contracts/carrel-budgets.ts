import { describe, expect, it } from 'vitest'
import type { TestSession } from '../support/carrel-session.ts'
import type { World } from '../support/carrel-world.ts'
import type { Case, OpenCarrel } from './carrel.ts'

const set = ({ carrel, workspace }: World, settings: object, where: object = {}) =>
  carrel.call('environment.set', { workspace, ...where, settings })
const usage = (used: number, cost?: number) => ({
  usage: { used, size: 200_000, ...(cost === undefined ? {} : { cost: { amount: cost, currency: 'USD' } }) },
})
const asked = (session: TestSession, after = 0) => session.until('interaction.opened', () => true, after)

export function describeBudgets(open: OpenCarrel, near: Case): void {
  describe('budgets', () => {
    near(
      'P6: a run whose time is used up is parked with a question; stopped there, it ends as over budget',
      async () => {
        const world = await open({ runBudgetMs: 1_000 })
        const session = await world.session()
        const { prompt } = await session.prompt([{ say: 'I take my time' }, { hang: true }])
        const question = await asked(session)
        expect(question.data.question).toMatchObject({
          kind: 'choice',
          title: 'This run has used up its 1 s of work. Allow more?',
          options: [{ label: 'Allow up to 2 s of work' }, { id: 'stop' }],
        })
        await session.until('run.parked')
        expect(await session.row()).toMatchObject({ state: 'waiting', questions: 1 })
        await session.answer(question.data.interaction, 'stop')
        const ended = await session.endOf(prompt)
        expect(ended.data).toMatchObject({
          outcome: 'over_budget',
          error: { message: 'This run has used up its 1 s of work.' },
          spent: { turns: 1 },
        })
        expect(ended.data.spent?.ms).toBeGreaterThanOrEqual(1_000)
        expect((await session.run([{ say: 'quick' }])).outcome).toBe('completed')
      },
    )

    near(
      'P6: with a higher budget, a run continues where it stopped, informed and in the same conversation',
      async () => {
        const world = await open()
        await set(world, { limits: { ms: 1_000 } })
        const session = await world.session()
        const { prompt } = await session.prompt([{ hang: true }])
        const { data } = await asked(session)
        expect(data.question.body).toContain('the workspace')
        await session.until('run.parked')
        await session
          .answer(data.interaction, 'raise:600000')
          .then(
            () => 'taken',
            (error) => error.code,
          )
          .then((outcome) => expect(outcome).toBe('bad_input'))
        await session.answer(data.interaction, data.question.options[0]!.id)
        expect((await session.endOf(prompt)).data).toMatchObject({ outcome: 'completed', spent: { turns: 2 } })
        const opened = await session.eventsOf('context.opened')
        expect(new Set(opened.map((event) => event.data.acpSession)).size).toBe(1)
      },
    )

    it('P6: the usage of a session is counted over its runs, while it works, and an allowance stays', async () => {
      const world = await open()
      await set(world, { budgets: { session: { tokens: 1_000 } } })
      const session = await world.session()
      const { prompt } = await session.prompt([usage(5_000), { hang: true }])
      const first = await asked(session)
      expect(first.data.question.title).toBe('This session has used up its 1000 tokens. Allow more?')
      await session.answer(first.data.interaction, 'raise:8000')
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect((await session.run([usage(1_000), { say: 'done' }])).outcome).toBe('completed')
      const next = await session.prompt([usage(20_000), { hang: true }])
      const second = await asked(session, first.seq)
      expect(second.data.question.title).toBe('This session has used up its 8000 tokens. Allow more?')
      await session.answer(second.data.interaction, 'stop')
      expect((await session.endOf(next.prompt)).data.outcome).toBe('over_budget')
      const neighbour = await world.session({ beside: session })
      expect((await neighbour.run([usage(500), { say: 'done' }])).outcome).toBe('completed')
    })

    near('P6: a shared budget holds for all its sessions; prompts wait until it is raised', async () => {
      const world = await open()
      const one = await world.session()
      const other = await world.session({ beside: one })
      const elsewhere = await world.session()
      await set(world, { budgets: { total: { turns: 2 } } }, { space: one.space.id })
      expect((await one.run([{ say: 'one' }])).outcome).toBe('completed')
      expect((await other.run([{ say: 'two' }])).outcome).toBe('completed')
      const { prompt } = await one.prompt([{ say: 'three' }])
      const question = await asked(one)
      expect(question.data.question.title).toBe('This Space has used up its 2 turns. Allow more?')
      expect(await one.eventsOf('run.started')).toHaveLength(1)
      expect((await elsewhere.run([{ say: 'free' }])).outcome).toBe('completed')
      await one.answer(question.data.interaction, 'raise:4')
      expect((await one.endOf(prompt)).data.outcome).toBe('completed')
      const found = await world.carrel.call('environment.get', { workspace: world.workspace, space: one.space.id })
      expect(found.own.budgets).toEqual({ total: { turns: 4 } })
    })

    near('P6: the cost is the one that agents report, and a cancel ends a waiting run', async () => {
      const world = await open()
      await set(world, { budgets: { total: { cost: 0.5 } } })
      const session = await world.session()
      expect((await session.run([usage(100, 0.3), { say: 'done' }])).spent).toMatchObject({ cost: 0.3 })
      const { run, prompt } = await session.prompt([usage(200, 0.9), { hang: true }], { wait: 'started' })
      const question = await asked(session)
      expect(question.data.question).toMatchObject({
        title: 'This workspace has used up its 0.5 of cost. Allow more?',
        body: expect.stringContaining('Used so far: 0.9 of cost.'),
      })
      await session.until('run.parked')
      await world.carrel.call('sessions.cancel', { workspace: world.workspace, id: session.id, run: run! })
      expect((await session.endOf(prompt)).data.outcome).toBe('cancelled')
      expect((await session.view()).open).toEqual({})
    })
  })
}
