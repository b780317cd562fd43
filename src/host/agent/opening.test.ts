import { expect, it } from 'vitest'
import { type Link, stateOf } from './opening.ts'
import type { PastPrompt } from './past.ts'

const prompt = (id: number, session: string): PastPrompt => ({ id, session, tag: `run_${id}:1`, no: 0, answer: null })

it('P5: a checkpoint has the prompts of sessions that nobody took over yet, for the server after this one', () => {
  const past = {
    sessions: new Map([['waiting', {}]]),
    prompts: [prompt(1, 'taken'), prompt(2, 'waiting')],
  }
  const link = { ports: new Map(), prompts: new Map([[3, prompt(3, 'taken')]]), wire: { next: 4 }, past }
  const state = stateOf(link as unknown as Link, { some: 'info' })
  expect(state.prompts.map(({ id }) => id)).toEqual([3, 2])
  expect(state).toMatchObject({ info: { some: 'info' }, next: 4, sessions: [['waiting', {}]] })
})
