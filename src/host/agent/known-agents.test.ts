import { expect, it } from 'vitest'
import { Config } from '../../model/settings/config.ts'
import { allAgents, KNOWN_AGENTS } from './known-agents.ts'

it('a change to a known agent changes only the fields it names', () => {
  const { agents } = Config.parse({ dataFolder: '/d', agents: [{ id: 'gemini', env: { GEMINI_API_KEY: 'k' } }] })
  const before = KNOWN_AGENTS.find(({ id }) => id === 'gemini')
  expect(before?.args).toEqual(['--acp'])
  expect(allAgents(agents).find(({ id }) => id === 'gemini')).toEqual({ ...before, env: { GEMINI_API_KEY: 'k' } })
})

it('an agent of a person needs a name and a command, and gets the defaults', () => {
  const { agents } = Config.parse({ dataFolder: '/d', agents: [{ id: 'mine', name: 'Mine', command: '/bin/mine' }] })
  expect(allAgents(agents).at(-1)).toMatchObject({ id: 'mine', args: [], runsPerProcess: 1, steer: 'none' })
  expect(() => allAgents([{ id: 'mine', name: 'Mine' }])).toThrow(/not complete: command/)
})
