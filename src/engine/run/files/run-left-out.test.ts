import { expect, it } from 'vitest'
import { RunLeftOut } from './run-left-out.ts'

it('F5: files that a run deleted are named; files that it created, or created again, are not', () => {
  const run = new RunLeftOut()
  expect(run.notice()).toBeNull()
  run.take({ came: ['made.o'], went: ['old.log', 'cache'] })
  run.take({ came: ['cache'], went: ['made.o'] })
  expect(run.notice()).toMatch(/cannot restore them: old\.log\.$/)
  run.take({ came: [], went: ['cache'] })
  run.take({ came: [], went: Array.from({ length: 11 }, (_, at) => `n${at}`) })
  expect(run.notice()).toMatch(/: cache, n0, n1, n10, .* and 3 more\.$/)
})
