import { describe, expect, it } from 'vitest'
import { effectiveEnvironment } from './environment.ts'
import { amountWords, budgetQuestion, type Meter, metersOf, raisedTo, withoutRun } from './spending.ts'

const METER: Meter = { key: 'budget run ms', of: 'run', from: 'space', measure: 'ms', limit: 60_000 }

describe('spending', () => {
  it('P6: limits of a run and each budget are watched for themselves, with what was allowed beyond them', () => {
    const effective = effectiveEnvironment([
      { from: 'workspace', settings: { limits: { ms: 5_000, pids: 64 }, budgets: { total: { cost: 2 } } } },
      { from: 'project', settings: { budgets: { session: { tokens: 10 }, total: { cost: 1 } } } },
    ])
    const meters = metersOf(effective, { 'budget run ms': 9_000, 'budget session tokens project': 4 })
    expect(meters.map(({ key, of, limit }) => [key, of, limit])).toEqual([
      ['budget run ms', 'run', 9_000],
      ['budget total cost workspace', 'workspace', 2],
      ['budget session tokens project', 'session', 10],
      ['budget total cost project', 'project', 1],
    ])
  })

  it('P6: a question offers more than was used, and its answer says how much', () => {
    const { title, options } = budgetQuestion(METER, 130_000)
    expect(title).toBe('This run has used up its 60 s of work. Allow more?')
    expect(options.map(({ label }) => label)).toEqual(['Allow up to 4 min of work', 'Stop here'])
    expect(raisedTo({ option: options[0]!.id })).toBe(240_000)
    for (const answer of [{ option: 'stop' }, { declined: true as const }]) expect(raisedTo(answer)).toBeNull()
  })

  it('what was allowed to a run goes with it', () => {
    expect(withoutRun({ 'budget run ms': 1, 'budget session ms space': 2 })).toEqual({ 'budget session ms space': 2 })
  })

  it('amounts are words', () => {
    expect(amountWords('ms', 5_400_000)).toBe('90 min of work')
    expect(amountWords('cost', 0.1 + 0.2)).toBe('0.3 of cost')
  })
})
