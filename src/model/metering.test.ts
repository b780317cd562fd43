import { describe, expect, it } from 'vitest'
import { agentUsage, budgetToRaise, spentInTurn, timeLeft, tokensOf, usedUp, withTotal } from './metering.ts'
import type { Measure, Meter, Reached } from './settings/spending.ts'

const meter = (measure: Measure, limit: number, of: Meter['of'] = 'run'): Meter => ({
  key: `${of} ${measure}`,
  of,
  from: 'space',
  measure,
  limit,
})
const used = (measure: Measure, limit: number, amount: number): Reached => ({
  meter: meter(measure, limit),
  used: amount,
})

describe('P6: meters', () => {
  it.each<[string, readonly Reached[], number, string | null]>([
    ['without a limit', [], 0, null],
    ['below the limit', [used('ms', 10, 9)], 0, null],
    ['at the limit', [used('ms', 10, 10)], 0, 'run ms'],
    ['the first of several', [used('ms', 10, 9), used('cost', 1, 2), used('tokens', 1, 2)], 0, 'run cost'],
    ['the last turn before it begins', [used('turns', 2, 2)], 0, 'run turns'],
    ['the last turn while it is under way', [used('turns', 2, 2)], 1, null],
    ['one turn too many', [used('turns', 2, 3)], 1, 'run turns'],
    ['turns under way add no time', [used('ms', 10, 10)], 1, 'run ms'],
  ])('used up: %s', (_, all, turnsUnderWay, key) => {
    expect(usedUp(all, turnsUnderWay)?.meter.key ?? null).toBe(key)
  })

  it.each<[readonly Reached[], number | null]>([
    [[], null],
    [[used('tokens', 10, 1)], null],
    [[used('ms', 10, 4), used('ms', 9, 1)], 6],
    [[used('ms', 10, 40)], 0],
  ])('time left of %j is %s ms', (all, left) => {
    expect(timeLeft(all)).toBe(left)
  })

  it.each([
    ['as answered', { answered: 50, first: 100, now: 120 }, 50],
    ['the growth of its memory, when that is more', { answered: 5, first: 100, now: 120 }, 20],
    ['nothing, when its memory shrank', { answered: 0, first: 100, now: 20 }, 0],
  ])('tokens of a turn: %s', (_, { answered, first, now }, tokens) => {
    const measured = { ms: 1, turns: 1, answered, first: { tokens: first, cost: 0 }, now: { tokens: now, cost: 0 } }
    expect(spentInTurn(measured)).toEqual({ ms: 1, turns: 1, tokens, cost: 0 })
  })

  it.each([
    ['in the same process', 2, 3.5, 1.5],
    ['in a new process, which counts from zero', 2, 0.5, 0.5],
  ])('cost of a turn: %s', (_, first, now, cost) => {
    const figures = { first: { tokens: 0, cost: first }, now: { tokens: 0, cost: now } }
    expect(spentInTurn({ ms: 0, turns: 0, answered: 0, ...figures }).cost).toBe(cost)
  })

  it.each([
    [null, { tokens: 0, cost: 0 }],
    [
      { used: 7, size: 9, cost: null },
      { tokens: 7, cost: 0 },
    ],
    [
      { used: 7, size: 9, cost: 2 },
      { tokens: 7, cost: 2 },
    ],
    [
      { used: 7, size: 9, cost: { amount: 3, currency: 'USD' } },
      { tokens: 7, cost: 3 },
    ],
    [
      { used: 7, size: 9, cost: { amount: 'much' } },
      { tokens: 7, cost: 0 },
    ],
  ])('figures of an agent: %j', (usage, figures) => {
    expect(agentUsage(usage)).toEqual(figures)
  })

  it.each([
    [null, 0],
    [{ usage: {} }, 0],
    [{ usage: { totalTokens: 9, inputTokens: 1 } }, 9],
    [{ usage: { total_tokens: 8 } }, 8],
    [{ usage: { inputTokens: 1, outputTokens: 2 } }, 3],
    [{ usage: { input_tokens: 4 } }, 4],
    [{ usage: { totalTokens: 'nine' } }, 0],
  ])('tokens of the answer %j are %s', (answer, tokens) => {
    expect(tokensOf(answer)).toBe(tokens)
  })
})

describe('P6: a budget that is raised', () => {
  const meters = [meter('ms', 10), meter('cost', 10, 'session'), meter('cost', 10, 'space')]
  it.each([
    ['space cost', 11, 'space'],
    ['space cost', 10, null],
    ['session cost', 11, null],
    ['run ms', 11, null],
    ['workspace cost', 11, null],
  ])('%s to %s raises the total of %s', (key, to, of) => {
    expect(budgetToRaise(meters, key, to)?.of ?? null).toBe(of)
  })

  it('keeps all other budgets of its scope', () => {
    const budgets = { session: { ms: 1 }, total: { ms: 2, cost: 3 } }
    expect(withTotal(budgets, 'cost', 4)).toEqual({ session: { ms: 1 }, total: { ms: 2, cost: 4 } })
    expect(withTotal(undefined, 'cost', 4)).toEqual({ total: { cost: 4 } })
  })
})
