import { describe, expect, it } from 'vitest'
import { changeEnvironment, Environment, effectiveEnvironment } from './environment.ts'

const layers = (...said: Environment[]) =>
  said.map((settings, at) => ({ from: (['workspace', 'space', 'project'] as const)[at] ?? 'project', settings }))

describe('environment', () => {
  it('P3: the nearest scope wins, of variables the nearest of each name, and hosts are joined', () => {
    const found = effectiveEnvironment(
      layers(
        { env: { A: '1', B: '1' }, home: 'space', ports: ['web', 'api'], hosts: ['a.example', 'b.example'] },
        { env: { B: '2' }, ports: ['web'], hosts: ['b.example', 'c.example'] },
        { home: 'run' },
      ),
    )
    expect(found).toMatchObject({
      env: { A: { value: '1', from: 'workspace' }, B: { value: '2', from: 'space' } },
      home: { value: 'run', from: 'project' },
      sandbox: { value: 'off', from: 'default' },
      ports: { value: ['web'], from: 'space' },
      browser: { value: 'none', from: 'default' },
    })
    expect(found.hosts).toEqual([
      { value: 'a.example', from: 'workspace' },
      { value: 'b.example', from: 'workspace' },
      { value: 'c.example', from: 'space' },
    ])
  })

  it('of limits the tightest counts, and the default only where nobody says one', () => {
    const found = effectiveEnvironment(
      layers({ limits: { ms: 5_000, turns: 3 } }, { limits: { ms: 9_000, turns: 2 } }),
      { limits: { ms: 1_000, tokens: 7 } },
    )
    expect(found.limits).toEqual({
      ms: { value: 5_000, from: 'workspace' },
      turns: { value: 2, from: 'space' },
      tokens: { value: 7, from: 'default' },
    })
  })

  it('of budgets each scope has its own, and one that says nothing is none', () => {
    const found = effectiveEnvironment(layers({ budgets: { total: { cost: 5 } } }, { budgets: { session: {} } }))
    expect(found.budgets).toEqual([{ of: 'total', from: 'workspace', budget: { cost: 5 } }])
  })

  it('a change leaves what it does not name, and null takes away', () => {
    expect(changeEnvironment({ home: 'run', ports: ['web'] }, { home: null, browser: 'own' })).toEqual({
      ports: ['web'],
      browser: 'own',
    })
  })

  it('takes hosts, ports and names as they are written, and nothing that is none', () => {
    const good = {
      hosts: ['example.com', '*.example.com', 'localhost:8080'],
      ports: ['web', 'api_2'],
      env: { a_B1: '' },
    }
    expect(Environment.parse(good)).toEqual(good)
    for (const wrong of [
      { hosts: ['http://example.com'] },
      { hosts: ['exa mple'] },
      { hosts: ['*'] },
      { ports: ['Web'] },
      { env: { LD_PRELOAD: 'x' } },
      { env: { A: 'x\0' } },
      { limits: { ms: 1 } },
      { budgets: { session: { memoryBytes: 1 } } },
      { other: 1 },
    ])
      expect(Environment.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
  })
})
