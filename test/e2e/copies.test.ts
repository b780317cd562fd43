import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { eventually } from '../support/carrel-session.ts'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

let world: CliWorld
beforeEach(() => {
  world = openCliWorld()
})
afterEach(() => world.close())

const clientOf = (url: string, data: string) =>
  connect({ url, token: readFileSync(join(data, 'token'), 'utf8').trim() })

const twice = (cwd: string) => {
  const path = join(cwd, 'twice.txt')
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** Starts a server with a run at work and a prompt behind it, in a folder of a person. */
async function serveWork() {
  const cwd = world.folder('garden')
  const server = await world.serve()
  const env = { CARREL_DATA_FOLDER: world.data }
  const run = (...steps: Record<string, unknown>[]) =>
    world.start(['run', '--agent', 'scripted', '--json', script(...steps)], { cwd, env })
  run({ gate: 'go' }, { run: 'echo once >> twice.txt' })
  const started = async () => (await world.carrel(['ps', '--json'])).json().runs
  await eventually('the run is at work', async () => (await started())[0]?.state === 'started')
  const [{ session, id }] = await started()
  const content = script({ run: 'echo once >> twice.txt' })
  await clientOf(server.url, world.data).call('sessions.prompt', { workspace: 'default', id: session, content })
  return { cwd, server, session, run: id }
}

const outcomes = async (data: string, session: string) => {
  const { stdout } = await world.carrel(['export', session, '--as', 'jsonl', '--data', data])
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return events.filter(({ type }) => type === 'run.ended').map(({ data }) => [data.outcome, data.error?.message])
}

it('S7: a restored data folder is served for a look beside the first one, and runs nothing until it goes on instead', async () => {
  const { cwd, server, session } = await serveWork()
  const backup = join(cwd, 'backup')
  expect(await world.carrel(['backup', backup])).toMatchObject({ exit: 0 })
  const data = join(cwd, 'restored')
  const restored = await world.carrel(['backup', 'restore', backup, '--data', data])
  expect(restored.stderr).toContain('is paused')

  const look = world.start(['serve', '--port', '0', '--no-web', '--data', data])
  await look.until(/Paused: nothing runs here\. This data folder was restored from a backup of .*data, made/)
  await look.until(/Waiting: 1 queued prompt, 1 unfinished run\..*`carrel unpause`/)
  const ps = await world.carrel(['ps', '--data', data])
  expect(ps).toMatchObject({ exit: 0, stderr: expect.stringContaining('Paused: nothing runs here.') })
  const refused = await world.carrel(['run', '--session', session, 'more', '--data', data])
  expect(refused).toMatchObject({ exit: 69, stderr: expect.stringMatching(/restored from a backup.*`carrel unpause`/) })
  const early = await world.carrel(['unpause', '--yes', '--data', data])
  expect(early).toMatchObject({ exit: 75, stderr: expect.stringMatching(/is in use by process \d+\. Stop that one/) })
  expect(await outcomes(data, session)).toEqual([])

  writeFileSync(join(cwd, 'go'), '')
  await eventually('the first server does its work', () => twice(cwd) === 'once\nonce\n')
  await eventually('both runs ended', async () => (await outcomes(world.data, session)).length === 2)
  await server.stop()
  const preview = await world.carrel(['unpause', '--data', data])
  expect(preview).toMatchObject({ exit: 0, stderr: expect.stringContaining('Nothing was changed') })
  const unpaused = await world.carrel(['unpause', '--yes', '--data', data])
  expect(unpaused).toMatchObject({ exit: 0, stdout: expect.stringContaining(`Paused instead: ${world.data}.`) })
  await eventually('the queued prompt runs here', async () => (await outcomes(data, session)).length === 2)
  expect(await outcomes(data, session)).toEqual([
    ['lost', 'The data folder was restored from a backup that was made during the run.'],
    ['completed', undefined],
  ])
  look.child.kill('SIGTERM')
  await look.ended
  expect((await world.carrel(['ps'])).stderr).toContain(`The data folder ${data} goes on instead of this one`)
}, 240_000)

it('S7: a folder copied from under a living server leaves its agents alone, and its own commands do not reach that server', {
  tags: ['long'],
  timeout: 240_000,
}, async () => {
  const { cwd, server, session, run } = await serveWork()
  const data = join(cwd, 'copy')
  execFileSync('cp', ['-a', world.data, data])
  const copy = world.start(['serve', '--port', '0', '--no-web', '--json', '--data', data])
  const [line] = await copy.until(/^\{.*\}$/m)
  const served = JSON.parse(line)
  expect(served).toMatchObject({ dataFolder: data, paused: { why: 'copied', other: world.data } })
  expect(served.url).not.toBe(server.url)
  const { findings } = await clientOf(served.url, data).call('server.doctor', {})
  expect(findings).toContainEqual(expect.objectContaining({ name: 'Data folder', state: 'limited' }))
  expect(await world.carrel(['unpause', '--yes', '--data', data])).toMatchObject({ exit: 75 })
  copy.child.kill('SIGTERM')
  await copy.ended

  // An embedded command opens the copy as well, and finds it paused.
  expect(await world.carrel(['run', '--session', session, 'more', '--data', data])).toMatchObject({ exit: 69 })
  writeFileSync(join(cwd, 'go'), '')
  await eventually('the agent of the first goes on', () => twice(cwd) === 'once\nonce\n')
  await eventually('both runs ended', async () => (await outcomes(world.data, session)).length === 2)
  expect(await outcomes(world.data, session)).toEqual([
    ['completed', undefined],
    ['completed', undefined],
  ])
  await server.stop()
  const unpaused = await world.carrel(['unpause', '--yes', '--data', data])
  expect(unpaused).toMatchObject({ exit: 0, stderr: expect.stringContaining('No server is running') })
  const after = await world.carrel(['ps', '--all', '--json', '--data', data])
  expect(after.json().runs).toMatchObject([{ id: run }])
})
