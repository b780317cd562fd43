import { describe, expect, it } from 'vitest'
import { changeOf, draftOf } from './draft.ts'

const OWN = {
  env: { LOG: 'a=b', EMPTY: '' },
  home: 'space',
  ports: ['web', 'api'],
  limits: { ms: 90_000, memoryBytes: 1_073_741_824 },
  budgets: { session: { cost: 1.5 } },
} as const

describe('a draft of environment settings', () => {
  it('says nothing of what stays', () => {
    expect(changeOf({ ...OWN, ports: ['web', 'api'] }, draftOf({ ...OWN, ports: ['web', 'api'] }))).toEqual({})
    expect(changeOf({}, draftOf({}))).toEqual({})
  })

  it('shows minutes and sizes, and sends ms and bytes', () => {
    const draft = draftOf({ ...OWN, ports: [] })
    expect(draft.limits).toEqual({ ms: '1.5', memoryBytes: '1g' })
    const change = changeOf({}, { ...draft, limits: { ms: '2', memoryBytes: '' } })
    expect(changeOf({}, { ...draftOf({}), limits: { memoryBytes: '1.5 GiB', pids: '64' } })).toEqual({
      limits: { memoryBytes: 1_610_612_736, pids: 64 },
    })
    expect(() => changeOf({}, { ...draftOf({}), limits: { memoryBytes: 'much' } })).toThrow(
      'much: not a size. Use 512m',
    )
    expect(change).toMatchObject({ limits: { ms: 120_000 }, env: OWN.env, budgets: { session: { cost: 1.5 } } })
  })

  it('takes away what was emptied', () => {
    const own = { ...OWN, ports: ['web'] }
    const change = changeOf(own, { ...draftOf({}), hosts: 'a.example, b.example\n' })
    expect(change).toEqual({
      env: null,
      home: null,
      ports: null,
      limits: null,
      budgets: null,
      hosts: ['a.example', 'b.example'],
    })
  })
})
