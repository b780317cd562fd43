import { expect, it } from 'vitest'
import { createRunLeftOut } from './run-left-out.ts'

it('F5: what was there before a run and is not after it is named; what came during it, or came again, is not', () => {
  const run = createRunLeftOut()
  expect(run.words()).toBeNull()
  run.take({ came: ['made.o'], went: ['old.log', 'cache'] })
  run.take({ came: ['cache'], went: ['made.o'] })
  expect(run.words()).toMatch(/cannot bring them back: old\.log\.$/)
  run.take({ came: [], went: ['cache'] })
  run.take({ came: [], went: Array.from({ length: 11 }, (_, at) => `n${at}`) })
  expect(run.words()).toMatch(/: cache, n0, n1, n10, .* and 3 more\.$/)
})
