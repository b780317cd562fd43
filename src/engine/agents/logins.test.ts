import { expect, it } from 'vitest'
import { AgentRecipe } from '../../model/agent.ts'
import type { HeldLease, Leases } from '../leases.ts'
import { createLogins } from './logins.ts'

/** Leases of one process, without a store. */
function memoryLeases(): Pick<Leases, 'acquire'> {
  const held = new Set<string>()
  return {
    async acquire(key) {
      if (held.has(key)) return null
      held.add(key)
      return { release: async () => void held.delete(key) } as unknown as HeldLease
    },
  }
}

const options = { home: '/nowhere', dataFolder: '/nowhere', log: { warn: () => undefined } }
const recipe = (more: object) => AgentRecipe.parse({ id: 'one', name: 'One', command: 'one', ...more })
const never = new AbortController().signal

async function mostAtOnce(more: object, home: string | null = '/nowhere/home'): Promise<number> {
  const logins = createLogins({ leases: memoryLeases(), ...options })
  const gates: (() => void)[] = []
  let now = 0
  let most = 0
  const start = async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise<void>((resolve) => {
      gates.push(resolve)
      setImmediate(resolve)
    })
    now -= 1
    return { exited: new Promise<void>(() => undefined) }
  }
  await Promise.all(Array.from({ length: 5 }, () => logins.around(recipe(more), home, start, never)))
  return most
}

it('S1: only one process at a time starts where it may refresh a login that others have too', async () => {
  expect(await mostAtOnce({ loginFiles: ['auth.json'] })).toBe(1)
  expect(await mostAtOnce({ loginFiles: ['auth.json'] }, null)).toBe(5)
  expect(await mostAtOnce({})).toBe(5)
})
