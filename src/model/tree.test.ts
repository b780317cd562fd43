import { expect, it } from 'vitest'
import { BranchName } from './tree.ts'

it.each([
  ['main', 'main'],
  ['refs/heads/main', 'main'],
  ['refs/heads/feature/x', 'feature/x'],
  ['heads/main', 'heads/main'],
])('the branch %s is %s', (given, name) => {
  expect(BranchName.parse(given)).toBe(name)
})

it('a branch without a name is refused', () => {
  expect(BranchName.safeParse('refs/heads/').success).toBe(false)
})
