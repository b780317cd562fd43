import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { shareLogin } from '../../src/host/identity/logins.ts'
import { eventually } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld, scriptedAgent, type World } from '../support/carrel-world.ts'

const FILE = '.loginful/auth.json'
const agent = scriptedAgent('loginful', { home: 'own', loginFiles: [FILE] })
const shared = ({ home }: { home: string }) => join(home, FILE)

function logIn(world: World, token: string): void {
  mkdirSync(join(world.home, '.loginful'), { recursive: true })
  writeFileSync(shared(world), JSON.stringify({ token }))
}

it('a login is copied to homes of their own; a refreshed one is copied back and to the others', async () => {
  const world = await openWorld({ agents: [agent], idleAgentMs: 0 })
  logIn(world, 'first')
  const one = await world.session({ agent: 'loginful' })
  const two = await world.session({ agent: 'loginful' })
  const show = { run: `cat "$HOME/${FILE}"` }
  await one.run([show])
  await two.run([show])
  for (const session of [one, two]) expect(JSON.stringify(await session.log())).toContain('\\"first\\"')
  const refresh = `printf '{"token":"second"}' > "$HOME/${FILE}"`
  expect((await one.run([{ run: refresh }])).outcome).toBe('completed')
  await eventually('the login was copied back', () => readFileSync(shared(world), 'utf8').includes('second'))
  expect(statSync(shared(world)).mode & 0o777).toBe(0o600)
  await two.run([show])
  expect(JSON.stringify(await two.log())).toContain('\\"second\\"')
  const homes = readdirSync(join(world.dataFolder, 'homes')).filter((name) => !name.endsWith('.json'))
  expect(homes).toHaveLength(2)
}, 240_000)

it('a logout stays a logout, and half a login is copied nowhere', async () => {
  const { root } = makeTestFolder()
  const path = (name: string) => join(root, name, 'auth.json')
  const write = (name: string, content: string, age: number) => {
    mkdirSync(join(root, name), { recursive: true })
    writeFileSync(path(name), content)
    const at = new Date(Date.now() - age)
    utimesSync(path(name), at, at)
  }
  const read = (name: string) => readFileSync(path(name), 'utf8')
  write('person', '{"token":1}', 60_000)
  write('older', '{"token":0}', 90_000)
  write('half', '{"tok', 1_000)
  await shareLogin(path('person'), [path('older'), path('half'), path('fresh')])
  expect(['person', 'older', 'half', 'fresh'].map(read)).toEqual(Array(4).fill('{"token":1}'))
  write('older', '{"token":2}', 30_000)
  await shareLogin(path('person'), [path('older'), path('half'), path('fresh')])
  expect(['person', 'half', 'fresh'].map(read)).toEqual(Array(3).fill('{"token":2}'))
  rmSync(path('person'))
  await shareLogin(path('person'), [path('older'), path('half')])
  expect(readdirSync(join(root, 'person'))).toEqual([])
})
