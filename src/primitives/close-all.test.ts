import { expect, it } from 'vitest'
import { closeAll } from './close-all.ts'

it('all closers run, the last first, though some throw; the first error is thrown', async () => {
  const closed: string[] = []
  const closer = (name: string, error?: Error) => async () => {
    closed.push(name)
    if (error) throw error
  }
  const closers = [closer('lock'), closer('store', new Error('store')), closer('work', new Error('work'))]
  await expect(closeAll(closers)).rejects.toThrow('work')
  expect(closed).toEqual(['work', 'store', 'lock'])
  await closeAll(closers)
  expect(closed).toHaveLength(3)
})
