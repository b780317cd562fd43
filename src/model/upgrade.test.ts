import { describe, expect, it } from 'vitest'
import {
  copiesToRemove,
  copyName,
  findRoom,
  joinRoom,
  lossWords,
  refuseFindings,
  roomToMigrate,
  scaleSample,
  stateOf,
  type UpgradeFinding,
} from './upgrade.ts'

const finding = (level: UpgradeFinding['level'], text = `a ${level}`): UpgradeFinding => ({
  level,
  kind: 'misfit',
  text: `${text}.`,
  next: level === 'note' ? null : 'Mend it.',
})
const MIB = 1_048_576

describe('the findings of a preflight', () => {
  it.each([
    [[], 'ready'],
    [['note'], 'ready'],
    [['note', 'stop'], 'stop first'],
    [['stop', 'block', 'note'], 'blocked'],
  ] as const)('%j: %s', (levels, state) => {
    const findings = levels.map((level) => finding(level))
    expect(stateOf(findings)).toBe(state)
    if (state === 'ready') expect(() => refuseFindings(9, 10, findings)).not.toThrow()
    else
      expect(() => refuseFindings(9, 10, findings)).toThrow(
        /from schema 9 to 10, and nothing was changed\. a (stop|block)\. Mend it\./,
      )
  })
})

describe('room on the disk', () => {
  it.each([
    [10 * MIB, 10 * MIB, []],
    [10 * MIB, null, []],
    [
      10 * MIB,
      4 * MIB,
      ['The disk of /data has 4 MiB free, and the upgrade needs up to 10 MiB there. Free 6 MiB on that disk.'],
    ],
  ])('%d bytes needed, %d free', (neededBytes, freeBytes, words) => {
    const found = findRoom([{ where: '/data', neededBytes, freeBytes }])
    expect(found.map(({ text, next }) => `${text} ${next}`)).toEqual(words)
  })

  it('adds up what goes to one disk, and keeps two apart', () => {
    const at = (where: string, device: number, neededBytes: number) => ({ where, device, neededBytes, freeBytes: 5 })
    expect(joinRoom([at('/a', 1, 3), at('/b', 2, 4), at('/c', 1, 2)])).toEqual([
      { where: '/a', neededBytes: 5, freeBytes: 5 },
      { where: '/b', neededBytes: 4, freeBytes: 5 },
    ])
  })

  it('an upgrade writes rewritten tables twice, and a little in any case', () => {
    expect([roomToMigrate(0), roomToMigrate(10 * MIB)]).toEqual([4 * MIB, 24 * MIB])
  })
})

it.each([
  [{ fixedMs: 20, sampleMs: 20, sampleRows: 0, rows: 0 }, 20],
  [{ fixedMs: 20, sampleMs: 120, sampleRows: 1_000, rows: 1_000 }, 120],
  [{ fixedMs: 20, sampleMs: 120, sampleRows: 1_000, rows: 100_000 }, 10_020],
  // A sample that happened to be faster than nothing at all.
  [{ fixedMs: 20, sampleMs: 10, sampleRows: 1_000, rows: 100_000 }, 20],
])('a sample of %j takes %d ms in all', (sample, ms) => {
  expect(scaleSample(sample)).toBe(ms)
})

it.each([
  ['a b c', ['c3:9'], 'a2:9 b1:9', ['b']],
  ['the newest of an older schema stays', ['e5:10'], 'a1:9 b2:10 c3:10 d4:10', ['b', 'c']],
  ['a copy that is needed stays, however old', ['d4:10', 'a1:7'], 'b2:8 c3:9', ['b']],
  ['fewer than are kept', ['a1:9'], '', []],
])('U2: of copies go the oldest: %s', (_, needed, others, gone) => {
  const parse = (text: string) => {
    const [, name = '', at, schema] = /^(\w)(\d):(\d+)$/.exec(text) ?? []
    return { name, at: Number(at), schema: Number(schema) }
  }
  const kept = needed.map(parse)
  const all = [...kept, ...others.split(' ').filter(Boolean).map(parse)]
  expect(
    copiesToRemove(
      all,
      kept.map(({ name }) => name),
    ).sort(),
  ).toEqual(gone)
})

it('the name of a copy sorts in time and is a name on every file system', () => {
  expect(copyName(Date.UTC(2026, 10, 24, 10, 15, 30, 123), 9)).toBe('2026-11-24T10-15-30-123Z-schema-9')
})

it('what would be lost is said by kinds, of which there are some', () => {
  const none = { workspaces: 0, spaces: 0, projects: 0, sessions: 0, sessionsChanged: 0, events: 0, prompts: 0 }
  const nothing = { ...none, runs: 0, questions: 0, rules: 0, secrets: 0, settings: 0 }
  expect(lossWords(nothing)).toEqual([])
  expect(lossWords({ ...nothing, sessions: 1, events: 12, secrets: 2 })).toEqual([
    '1 new session',
    '12 events',
    '2 new or changed secrets',
  ])
})
