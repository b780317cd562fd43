import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openCarrel } from '../../src/index.ts'
import { eventually } from '../support/carrel-session.ts'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

/** The default of users, with a short time: other tests of the command end agents with their server. */
const env = { CARREL_OUTLIVE_MS: '120000' }
let world: CliWorld
beforeEach(() => {
  world = openCliWorld()
})
afterEach(() => world.close())

const STEPS = script({ say: 'begun, ' }, { gate: 'go' }, { say: 'done' })
const begin = async () => {
  const cwd = world.folder('shop')
  const done = await world.carrel(['run', '--json', '--wait', 'started', '-a', 'scripted', STEPS], { cwd })
  const { session } = done.lines().at(-1)
  const follow = world.start(['log', session, '--follow'])
  await follow.until(/begun/)
  follow.child.kill('SIGINT')
  await follow.ended
  return { cwd, session }
}
const sessionOf = async (session: string) =>
  (await world.carrel(['sessions', 'list', '--json'], { env }))
    .json()
    .sessions.find(({ id }: { id: string }) => id === session)
const events = async (session: string, type: string) =>
  (await world.carrel(['log', session, '--json'], { env })).lines().filter((event) => event.type === type)

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'P5: `carrel serve` that ends by %s leaves its agents running, also while other commands read; the next server ends the run',
  async (signal) => {
    const first = await world.serve(env)
    const { cwd, session } = await begin()
    await first.stop(signal)
    expect(await sessionOf(session)).toMatchObject({ state: 'running' })
    writeFileSync(join(cwd, 'go'), '')
    expect(await sessionOf(session)).toMatchObject({ state: 'running' })
    const second = await world.serve(env)
    const follow = world.start(['log', session, '--follow'])
    await follow.until(/begun, done[\s\S]*Completed/)
    follow.child.kill('SIGINT')
    await follow.ended
    expect(await events(session, 'context.opened')).toHaveLength(1)
    expect(await events(session, 'run.ended')).toMatchObject([{ data: { outcome: 'completed' } }])
    await second.stop()
  },
)

it('P5: a run of a command adopts the agents of an earlier server, and leaves nothing behind', {
  tags: ['long'],
}, async () => {
  const first = await world.serve(env)
  const { cwd, session } = await begin()
  await first.stop()
  writeFileSync(join(cwd, 'go'), '')
  const other = await world.carrel(['run', '-a', 'scripted', script({ say: 'another' })], { cwd, env })
  expect(other).toMatchObject({ exit: 0, stdout: 'another\n' })
  expect(readdirSync(join(world.data, 'keepers'))).toEqual([])
  expect(await events(session, 'run.ended')).toMatchObject([{ data: { outcome: 'completed' } }])
})

it('P5: a program with the library adopts the agents of an earlier server that asked for it, and leaves nothing behind', async () => {
  const first = world.start(['serve', '--port', '0', '--no-web'], { env })
  await first.until(/Press Ctrl-C to stop/)
  const { cwd, session } = await begin()
  first.child.kill('SIGTERM')
  expect((await first.ended).stderr).toContain('Agents keep working for 2 min')
  const carrel = await openCarrel({ dataFolder: world.data })
  writeFileSync(join(cwd, 'go'), '')
  const at = { workspace: 'default', id: session }
  const ended = async () => (await carrel.call('sessions.get', at)).lastRun?.outcome === 'completed'
  await eventually('the run is completed', ended)
  await carrel.close()
  expect(readdirSync(join(world.data, 'keepers'))).toEqual([])
})
