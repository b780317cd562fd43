import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEngine } from '../../src/engine/open.ts'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

let world: CliWorld
beforeEach(() => {
  world = openCliWorld()
})
afterEach(() => world.close())

/** Lists the processes that have a file open. */
const holdersOf = (path: string): (number | undefined)[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path)
      } catch {
        return false
      }
    })
    .map(Number)
    .sort()

describe('carrel without a server', () => {
  it('run opens Carrel in its own process, and later commands find its results', async () => {
    const folder = world.folder('shop')
    const done = await world.carrel(['run', '-a', 'scripted', script({ say: 'alone' })], { cwd: folder })
    expect(done).toMatchObject({ exit: 0, stdout: 'alone\n' })
    expect(existsSync(join(world.data, 'server.json'))).toBe(false)
    const { sessions } = (await world.carrel(['sessions', 'list', '--json'])).json()
    expect(sessions).toMatchObject([{ state: 'idle', lastRun: { outcome: 'completed' } }])
    expect((await world.carrel(['log', sessions[0].id])).stdout).toMatch(/^> [\s\S]*alone\nCompleted/)
  })

  it('P3: open files that the command inherited, such as a lock, reach neither keepers nor agents', async ({
    skip,
  }) => {
    if (process.platform !== 'linux') return skip('the holders of a file are read from /proc')
    const cwd = world.folder('shop')
    const lock = join(world.folder('caller'), 'lock')
    const fd = openSync(lock, 'w')
    const steps = script({ say: 'at work' }, { gate: 'go' })
    const run = world.start(['run', '-a', 'scripted', steps], { cwd, inherits: [fd] })
    await run.until(/at work/)
    expect(holdersOf(lock)).toEqual([process.pid, run.child.pid].sort())
    writeFileSync(join(cwd, 'go'), '')
    expect((await run.ended).exit).toBe(0)
    closeSync(fd)
  })

  it('I1: a question of an embedded run is answered from another terminal', async () => {
    const run = world.start(['run', '-a', 'scripted', script({ ask: { title: 'Shall I?' } }, { say: 'on' })], {
      cwd: world.folder('shop'),
    })
    const [, id = ''] = await run.until(/carrel answer (int_\w+) 1/)
    expect((await world.carrel(['answer', id, '1'])).exit).toBe(0)
    expect((await run.ended).exit).toBe(0)
  })

  it('S4: a terminated run closes cleanly, and leaves nothing locked', async () => {
    const run = world.start(['run', '-a', 'scripted', script({ say: 'begun' }, { sleep: 600_000 })], {
      cwd: world.folder('shop'),
    })
    await run.until(/begun/)
    run.child.kill('SIGTERM')
    expect((await run.ended).exit).toBe(143)
    const { runs } = (await world.carrel(['ps', '--all', '--json'])).json()
    expect(runs).toMatchObject([{ outcome: 'cancelled' }])
  })

  it('a prompt with --wait accepted starts when a server does', async () => {
    const args = ['run', '--wait', 'accepted', '-a', 'scripted', script({ say: 'later' })]
    const accepted = await world.carrel(args, { cwd: world.folder('shop') })
    expect(accepted.stderr).toContain('The run starts with the next server')
    const { sessions } = (await world.carrel(['sessions', 'list', '--json'])).json()
    expect(sessions[0]).toMatchObject({ queued: 1, state: 'queued' })
    const server = await world.serve()
    const log = world.start(['log', sessions[0].id, '--follow'])
    await log.until(/later[\s\S]*Completed/)
    log.child.kill('SIGINT')
    await log.ended
    await server.stop()
  })
})

describe('carrel serve', () => {
  it('prints one login address, stops at SIGTERM, and removes its file', async () => {
    const running = world.start(['serve', '--port', '0'])
    const [url] = await running.until(/http:\/\/\S+\/login\?token=\S+/)
    await running.until(/Press Ctrl-C to stop/)
    const [first = '', ...more] = running.stdout().match(/https?:\/\/\S+/g) ?? []
    expect([first, more]).toEqual([url, []])
    expect(running.stdout()).toContain(world.data)
    expect((await fetch(first, { redirect: 'manual' })).status).toBe(303)
    running.child.kill('SIGTERM')
    expect((await running.ended).exit).toBe(0)
    expect(existsSync(join(world.data, 'server.json'))).toBe(false)
  })

  it('S4: stops cleanly also when a signal comes several times at once, as to a whole process group', async () => {
    const running = world.start(['serve', '--port', '0'])
    await running.until(/Press Ctrl-C to stop/)
    running.child.kill('SIGTERM')
    running.child.kill('SIGINT')
    const done = await running.ended
    expect(done.stderr).not.toContain('Stopped at once')
    expect(done.exit).toBe(0)
  })

  it('refuses a port in use with a message', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const done = await world.carrel(['serve', '--port', String(port)])
    other.close()
    expect(done.exit).toBe(69)
    expect(done.stderr).toContain(`Port ${port} is taken`)
    expect(done.stderr).toContain('--port 0')
  })

  it('ignores the remains of a dead server', async () => {
    mkdirSync(world.data)
    writeFileSync(join(world.data, 'server.json'), JSON.stringify({ url: 'http://127.0.0.1:9', pid: 1, startedAt: 1 }))
    writeFileSync(join(world.data, 'token'), 'x'.repeat(43))
    expect((await world.carrel(['ps'])).exit).toBe(0)
    expect((await world.carrel(['open'])).exit).toBe(69)
    const server = await world.serve()
    expect((await server.stop()).exit).toBe(0)
  })
})

describe('carrel reports errors', () => {
  const error = (stderr: string) => JSON.parse(stderr).error

  it('S5: a folder locked by a process without a server names that process', async () => {
    const engine = await openEngine({ dataFolder: world.data, runsAtOnce: 0 })
    try {
      const done = await world.carrel(['ps', '--json'])
      expect(done.exit).toBe(69)
      expect(error(done.stderr)).toMatchObject({ code: 'unavailable', data: { pid: process.pid } })
      expect(error(done.stderr).message).toContain(`Process ${process.pid} is using the data folder ${world.data}`)
    } finally {
      await engine.close()
    }
  })

  it.each([
    ['an unknown session', ['log', 'ses_01jc3q0f0g0h0j0k0m0n0p0q0r'], 66, 'not_found'],
    ['what is no id', ['log', 'nonsense'], 64, 'bad_input'],
    ['a folder that is not there', ['run', '--space', './nowhere', 'hi'], 64, 'bad_input'],
    ['a folder that cannot be a Space', ['run', '--space', '/', 'hi'], 64, 'bad_input'],
    ['an empty prompt', ['run', ' '], 64, 'bad_input'],
    ['a name nobody has', ['run', '--space', 'nobody', 'hi'], 66, 'not_found'],
    ['a server that is not there', ['--url', 'http://127.0.0.1:9', '--token', 'x', 'ps'], 69, 'unavailable'],
    ['a server without a token', ['--url', 'http://127.0.0.1:9', 'ps'], 77, 'unauthenticated'],
    ['a missing argument', ['run'], 64, 'bad_input'],
    ['an unknown option', ['ps', '--colour'], 64, 'bad_input'],
    ['a choice there is not', ['run', '--wait', 'forever', 'hi'], 64, 'bad_input'],
  ])('%s', async (_, args, exit, code) => {
    const done = await world.carrel([...args, '--json'])
    expect({ exit: done.exit, stdout: done.stdout, code: error(done.stderr).code }).toEqual({ exit, stdout: '', code })
    const plain = await world.carrel(args)
    expect(plain.exit).toBe(exit)
    expect(plain.stderr.trimEnd()).toMatch(/^carrel: [^\n]+$/)
  })

  it('an unknown command suggests the one that was meant', async () => {
    const done = await world.carrel(['inbx'])
    expect(done).toMatchObject({ exit: 64, stderr: "carrel: Unknown command 'inbx'. Did you mean inbox?\n" })
  })

  it('an impossible setting is named with its value and origin', async () => {
    const done = await world.carrel(['config'], { env: { CARREL_PORT: '99999' } })
    expect(done.exit).toBe(64)
    expect(done.stderr).toContain('port cannot be "99999" (from CARREL_PORT)')
  })
})

it('the example of the library runs', async () => {
  const example = join(import.meta.dirname, '../../examples/library.ts')
  const { execFile } = await import('node:child_process')
  const said = await new Promise<string>((resolve, reject) =>
    execFile(process.execPath, ['--conditions=carrel-source', example], (failed, stdout) =>
      failed ? reject(failed) : resolve(stdout),
    ),
  )
  expect(said).toBe('completed: Hello from an agent.\n')
  expect(readFileSync(example, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(20)
})
