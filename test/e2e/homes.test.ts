import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { makeHome } from '../../src/host/identity/homes.ts'
import type { Home } from '../../src/model/settings/environment.ts'
import type { HomeNote } from '../../src/model/settings/homes.ts'
import { eventually, type TestSession } from '../support/carrel-session.ts'
import { openWorld, scriptedAgent, type World } from '../support/carrel-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

const why = await noSandbox()
const LOGIN = '.loginful/auth.json'
const NAME = 'Ada "Countess" \\ Lovelace'
/** Builds an agent that keeps its memory in its home, as real agents do. */
const agent = (id: string) => scriptedAgent(id, { loginFiles: [LOGIN], passEnv: [] })
const HELLO = [{ say: 'hello' }]
const INSPECT = [
  { run: 'echo "$HOME" > home; git config user.name > name; echo "$XDG_CONFIG_HOME" > xdg; echo $$ >> "$HOME/seen"' },
  { run: `cat "$HOME/${LOGIN}" > login` },
]

async function open(): Promise<World> {
  const world = await openWorld({ agents: [agent('one'), agent('two')] })
  put(join(world.home, LOGIN), '{"token":"first"}')
  put(join(world.home, '.gitconfig'), `[user]\n\tname = ${JSON.stringify(NAME)}\n[core]\n\teditor = theirs\n`)
  return world
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const keep = ({ carrel, workspace, space }: TestSession, home: Home, more: object = {}) =>
  carrel.call('environment.set', { workspace, space: space.id, settings: { home, ...more } })
const read = (session: TestSession, name: string) => readFileSync(session.path(name), 'utf8').trim()
const homesIn = ({ dataFolder }: World) =>
  readdirSync(join(dataFolder, 'homes')).filter((name) => !name.endsWith('.json'))

it('P3: agent, Space and run have homes of their own, with login and git name and nothing else of the person', async () => {
  const world = await open()
  const here = await world.session({ agent: 'one' })
  const there = await world.session({ agent: 'one' })
  const far = await world.session({ agent: 'one' })
  const away = await world.session({ agent: 'one' })
  await Promise.all([keep(here, 'space'), keep(there, 'agent'), keep(far, 'agent')])
  const all = [here, there, far, away]
  expect((await Promise.all(all.map((each) => each.run(INSPECT)))).map(({ outcome }) => outcome)).toEqual(
    all.map(() => 'completed'),
  )
  const [space, mine, same, persons] = all.map((each) => read(each, 'home'))
  expect(persons).toBe(world.home)
  expect(same).toBe(mine)
  expect(new Set([space, mine, persons]).size).toBe(3)
  for (const each of all.slice(0, 3)) {
    expect(['name', 'xdg', 'login'].map((name) => read(each, name))).toEqual([
      NAME,
      `${read(each, 'home')}/.config`,
      '{"token":"first"}',
    ])
    expect(statSync(read(each, 'home')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(read(each, 'home'), '.gitconfig'), 'utf8')).not.toContain('theirs')
  }
  // Another agent in the same Space finds neither the login nor any other file of its neighbour.
  const beside = await world.session({ agent: 'two', beside: here })
  await beside.run(INSPECT)
  expect(read(beside, 'home')).not.toBe(space)
  const [run] = await beside.runs()
  const given = await world.carrel.call('runs.environment', { workspace: 'default', id: run?.id ?? '' })
  expect(given.home).toBe('space')
  expect(given.env).toContainEqual({ name: 'HOME', from: 'carrel', value: read(beside, 'home') })
  // The deletion removes the homes of the Space, which the preview has named, and not those of agents.
  const target = { workspace: 'default', id: here.space.id }
  const { preview } = await world.carrel.call('spaces.delete', target)
  expect(preview.folders.sort()).toEqual([space, read(beside, 'home')].sort())
  const kept = homesIn(world)
  await world.carrel.call('spaces.delete', { ...target, confirm: true })
  await eventually('the homes of the Space are gone', () => homesIn(world).length === kept.length - 2)
  expect([existsSync(mine ?? ''), existsSync(world.home)]).toEqual([true, true])
})

it('P3: an agent that cannot share a home has one for each session, which people can see', async () => {
  const world = await openWorld({ agents: [scriptedAgent('one', { home: 'own' })] })
  const session = await world.session({ agent: 'one' })
  const { run } = await session.run(HELLO)
  const query = { workspace: 'default', id: run }
  const read = () => world.carrel.call('runs.environment', query).catch(() => null)
  const given = await vi.waitUntil(read, 60_000)
  expect(given.home).toBe('session')
  const [own] = homesIn(world)
  expect(given.env).toContainEqual({ name: 'HOME', from: 'carrel', value: join(world.dataFolder, 'homes', own ?? '') })
})

it('P1: the home of a run is removed with it, its refreshed login is kept, and the next start removes abandoned homes', async () => {
  const world = await open()
  const session = await world.session({ agent: 'one' })
  await keep(session, 'run')
  const { prompt } = await session.prompt([
    ...INSPECT,
    { run: `printf '{"token":"second"}' > "$HOME/${LOGIN}"` },
    { ask: { title: 'Go on?' } },
  ])
  const asked = await session.until('interaction.opened')
  const first = read(session, 'home')
  expect(existsSync(first)).toBe(true)
  await session.answer(asked.data.interaction, 'allow-once')
  await session.endOf(prompt)
  await eventually('the home of the run is gone', () => homesIn(world).length === 0)
  expect(readFileSync(join(world.home, LOGIN), 'utf8')).toBe('{"token":"second"}')
  expect((await session.run(INSPECT)).outcome).toBe('completed')
  expect([read(session, 'login'), read(session, 'home') === first]).toEqual(['{"token":"second"}', false])
  // The second process did not have the conversation, so that it got the transcript.
  expect((await session.eventsOf('context.opened')).map(({ data }) => data.how)).toEqual(['new', 'primed'])
  const at = { space: session.space.id, project: session.project, session: session.id }
  const left: HomeNote = { kind: 'run', agent: 'one', workspace: 'default', ...at, run: 'run_gone' }
  await eventually('the second home is gone', () => homesIn(world).length === 0)
  await makeHome(join(world.dataFolder, 'homes'), left, { home: world.home, path: '' })
  expect(homesIn(world)).toHaveLength(1)
  await world.restart()
  await eventually('the abandoned home is gone', () => homesIn(world).length === 0)
})

it.skipIf(why !== null)(
  `B4: in a sandbox its own home can be written, and the person’s cannot${why ? ` (skipped: ${why})` : ''}`,
  async () => {
    const world = await open()
    put(join(world.home, '.ssh/id_rsa'), 'PRIVATE KEY')
    const session = await world.session({ agent: 'one' })
    await keep(session, 'space', { sandbox: 'guard' })
    await session.run([
      ...INSPECT,
      { run: `echo x > ${world.home}/x; cat ${world.home}/.ssh/id_rsa; cat ${world.dataFolder}/token` },
    ])
    expect(read(session, 'login')).toBe('{"token":"first"}')
    expect(readdirSync(read(session, 'home'))).toContain('seen')
    expect(existsSync(join(world.home, 'x'))).toBe(false)
    expect(JSON.stringify(await session.items())).not.toContain('PRIVATE KEY')
  },
)
