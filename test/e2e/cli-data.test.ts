import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

let world: CliWorld
beforeAll(() => {
  world = openCliWorld()
})
afterAll(() => world.close())

it('B3: a secret is read from stdin, listed by its name, given to a run, sealed anew and removed', async () => {
  const cwd = world.folder('shop')
  const put = await world.carrel(['secrets', 'put', 'TOKEN', '--space', '.'], { cwd, input: 'cli-canary-1\n' })
  expect(put).toMatchObject({ exit: 0, stdout: expect.stringContaining('Stored TOKEN') })
  const list = await world.carrel(['secrets', 'list', '--json'])
  expect(list.json().secrets).toMatchObject([{ name: 'TOKEN', readable: true, space: expect.stringMatching(/^spc_/) }])
  const run = await world.carrel(['run', '--agent', 'scripted', script({ run: 'echo it is $TOKEN' })], { cwd })
  expect(run).toMatchObject({ exit: 0 })
  expect(run.stdout + run.stderr).toContain('it is [secret TOKEN]')
  const rotated = await world.carrel(['secrets', 'rotate', '--json'])
  expect(rotated.json()).toMatchObject({ sealed: 1, unreadable: 0 })
  for (const { stdout, stderr } of [put, list, run, rotated]) expect(stdout + stderr).not.toContain('canary')
  const none = await world.carrel(['secrets', 'put', 'EMPTY'], { input: '\n' })
  expect(none).toMatchObject({ exit: 64, stderr: expect.stringContaining('The value is empty') })
  const argument = await world.carrel(['secrets', 'put', 'TOKEN=cli-canary-2'])
  expect(argument).toMatchObject({ exit: 64, stderr: expect.stringContaining('Give only the name') })
  expect(await world.carrel(['secrets', 'remove', 'TOKEN', '--space', '.'], { cwd })).toMatchObject({ exit: 0 })
  expect(await world.carrel(['secrets', 'remove', 'TOKEN', '--space', '.'], { cwd })).toMatchObject({ exit: 66 })
}, 240_000)

it('the ports of places are listed, with the addresses of their previews while a server runs', async () => {
  const cwd = world.folder('bakery')
  expect(await world.carrel(['env', 'ports'])).toMatchObject({
    exit: 0,
    stderr: expect.stringContaining('No ports yet'),
  })
  expect(await world.carrel(['env', 'set', '--ports', 'web'], { cwd })).toMatchObject({ exit: 0 })
  expect(await world.carrel(['run', '--agent', 'scripted', script({ say: 'Baked.' })], { cwd })).toMatchObject({
    exit: 0,
  })
  const alone = await world.carrel(['env', 'ports'])
  expect(alone.stdout).toMatch(/Space bakery +web +2\d{4}/)
  expect(alone.stderr).toContain('Previews need a running server')
  const server = await world.serve()
  const { stdout } = await world.carrel(['env', 'ports'])
  const address = stdout.match(/http:\S+\/preview\/web-[a-z2-7]{16}/)?.[0] ?? ''
  expect(address.startsWith(server.url)).toBe(true)
  expect((await fetch(address, { redirect: 'manual' })).headers.get('location')).toContain('/login?next=')
  await server.stop()
}, 240_000)

it('logLevel: info names what happens to sessions, debug each event and request, and none has a word of a prompt', async () => {
  const said = async (level: string) => {
    const cwd = world.folder(`logged-${level}`)
    const server = await world.serve({ CARREL_LOG_LEVEL: level })
    expect((await world.carrel(['run', '--agent', 'scripted', script({ say: 'confidential' })], { cwd })).exit).toBe(0)
    return (await server.stop()).stderr
  }
  const [warn, info, debug] = [await said('warn'), await said('info'), await said('debug')]
  const milestone = / info ses_\w+ run\.ended run_\w+ completed$/m
  const details = [/ debug ses_\w+ agent\.update scripted$/m, / debug POST \/api\/v1\/\S+\/prompt 200, \d+ ms$/m]
  expect([warn, info, debug].map((text) => milestone.test(text))).toEqual([false, true, true])
  for (const detail of details)
    expect([warn, info, debug].map((text) => detail.test(text))).toEqual([false, false, true])
  expect(info).toMatch(/ info ses_\w+ prompt\.requested pmt_\w+/)
  expect(debug).not.toContain('confidential')
}, 120_000)

it('a backup that Ctrl-C stops leaves nothing', async () => {
  const target = join(world.folder('vault'), 'backup')
  const many = join(world.data, 'spaces', 'many')
  mkdirSync(many, { recursive: true })
  for (let n = 0; n < 5_000; n += 1) writeFileSync(join(many, `${n}`), 'x')
  const running = world.start(['backup', target])
  await vi.waitFor(() => expect(existsSync(join(`${target}.part`, 'spaces', 'many', '150'))).toBe(true), 60_000)
  running.child.kill('SIGINT')
  expect(await running.ended).toMatchObject({ exit: 130, stderr: expect.stringContaining('Stopped. Nothing') })
  expect([target, `${target}.part`].filter(existsSync)).toEqual([])
  rmSync(many, { recursive: true })
}, 15_000)

it('a session is exported, the data is backed up while a server runs, and restored', async () => {
  const cwd = world.folder('garden')
  const run = await world.carrel(['run', '--json', '--agent', 'scripted', script({ say: 'Watered.' })], { cwd })
  expect(run.exit).toBe(0)
  const sessions = await world.carrel(['sessions', 'list', '--space', cwd, '--json'])
  const { id } = sessions.json().sessions[0]
  const server = await world.serve()
  const out = join(cwd, 'session.md')
  expect(await world.carrel(['export', id, '--out', out])).toMatchObject({ exit: 0 })
  expect(readFileSync(out, 'utf8')).toContain('Watered.')
  expect(await world.carrel(['export', id, '--out', out])).toMatchObject({ exit: 64 })
  const events = await world.carrel(['export', id, '--as', 'jsonl'])
  expect(events.lines().map(({ seq }) => seq)).toEqual(events.lines().map((_, index) => index + 1))
  const target = join(cwd, 'backup')
  const backup = await world.carrel(['backup', target])
  expect(backup).toMatchObject({ exit: 0, stdout: expect.stringMatching(/verified/) })
  expect(backup.stderr).toContain('The key of secrets')
  expect(await world.carrel(['backup', target])).toMatchObject({ exit: 64 })
  const retention = await world.carrel(['retention', '--json'])
  expect(retention.json().rules).toHaveLength(3)
  await server.stop()
  expect(await world.carrel(['backup', 'restore', target])).toMatchObject({
    exit: 64,
    stderr: expect.stringContaining('not empty'),
  })
  const again = join(cwd, 'again')
  expect(await world.carrel(['backup', 'restore', target, '--data', again])).toMatchObject({ exit: 0 })
  expect(existsSync(join(again, 'carrel.db'))).toBe(true)
  const restored = await world.carrel(['export', id, '--as', 'jsonl', '--data', again])
  expect(restored.stdout).toBe(events.stdout)
}, 240_000)
