import { expect, it } from 'vitest'
import { RunLeftOut } from './run-left-out.ts'

const nothing = { came: [], went: [], entered: [], left: [] }

it('F5: files that a run deleted are named; files that it created, or created again, are not', () => {
  const run = new RunLeftOut()
  expect(run.notices()).toEqual([])
  run.take({ ...nothing, came: ['made.o'], went: ['old.log', 'cache'] })
  run.take({ ...nothing, came: ['cache'], went: ['made.o'] })
  expect(run.notices()).toEqual([expect.stringMatching(/cannot restore them: old\.log\.$/)])
  run.take({ ...nothing, went: ['cache'] })
  run.take({ ...nothing, went: Array.from({ length: 11 }, (_, at) => `n${at}`) })
  expect(run.notices()).toEqual([expect.stringMatching(/: cache, n0, n1, n10, .* and 3 more\.$/)])
})

it('F5: files that the history began or stopped to track are named, unless the run created them or they were known', () => {
  const run = new RunLeftOut()
  run.take({ ...nothing, came: ['own.bin'], left: ['main.ts'] })
  run.take({ ...nothing, entered: ['own.bin', 'main.ts', 'big.bin'] })
  expect(run.notices()).toEqual([
    expect.stringMatching(/began to track files, and an undo cannot restore their earlier content: big\.bin\.$/),
    expect.stringMatching(/stopped tracking files, and an undo cannot restore their later content: main\.ts\.$/),
  ])
})
