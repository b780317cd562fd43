import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliWorld, openCliWorld, script } from '../support/cli-world.ts'

const talk = script({ say: 'begun' }, { gate: 'more' }, { say: 'on' }, { gate: 'never' })

describe('carrel between other programs', () => {
  let world: CliWorld
  beforeAll(() => {
    world = openCliWorld()
  })
  afterAll(() => world.close())

  /** Starts a run, and stops to read its output, as `head` does. */
  async function unread(folder: string, ...options: string[]) {
    const run = world.start(['run', ...options, '-a', 'scripted', talk], { cwd: folder })
    await run.until(/begun/)
    run.child.stdout?.destroy()
    writeFileSync(`${folder}/more`, '')
    return run.ended
  }

  it('a run whose reader has gone goes on in its server, and the command says so', async () => {
    const server = await world.serve()
    for (const [name, ...options] of [['plain'], ['json', '--json']] as const) {
      const done = await unread(world.folder(name), ...options)
      expect(done).toMatchObject({ exit: 141, stderr: expect.stringMatching(/The run continues.*carrel attach ses_/) })
      expect((await world.carrel(['ps', '--json'])).json().runs).toMatchObject([{ outcome: null }])
      await world.carrel(['cancel', (await world.carrel(['ps', '--json'])).json().runs[0].id])
      await expect.poll(async () => (await world.carrel(['ps', '--json'])).json().runs).toEqual([])
    }
    await server.stop()
  }, 60_000)

  it('without a server, a run whose reader has gone ends with its command', async () => {
    const done = await unread(world.folder('alone'))
    expect(done).toMatchObject({ exit: 141, stderr: expect.stringContaining('the run ends with this command') })
    expect((await world.carrel(['ps', '--all', '--json'])).json().runs).toMatchObject([
      {},
      {},
      { outcome: 'cancelled' },
    ])
  }, 60_000)

  it('P2: after Ctrl-C the last line of --json has the outcome', async () => {
    const hanging = script({ say: 'begun' }, { sleep: 600_000 })
    const run = world.start(['run', '--json', '-a', 'scripted', hanging], { cwd: world.folder('stopped') })
    await run.until(/begun/)
    run.child.kill('SIGINT')
    const done = await run.ended
    expect(done.exit).toBe(130)
    expect(done.lines().at(-1)).toMatchObject({ type: 'result', outcome: 'cancelled', error: { code: 'cancelled' } })
  }, 60_000)

  it.each([[['--help']], [['-h']], [['sessions', '--help']]])(
    'help for an unknown command is refused: %j',
    async (help) => {
      const at = help.length - 1
      const done = await world.carrel([...help.slice(0, at), 'lst', ...help.slice(at)])
      expect(done).toMatchObject({
        exit: 64,
        stdout: '',
        stderr: expect.stringMatching(/^carrel: Unknown command 'lst'\./),
      })
    },
  )

  it('first runs in a new folder that begin at once use one Space and one project', async () => {
    const server = await world.serve()
    const cwd = world.folder('crowd')
    const args = ['run', '--wait', 'accepted', '--json', '-a', 'scripted', script({ say: 'hi' })]
    const runs = await Promise.all(Array.from({ length: 8 }, () => world.carrel(args, { cwd })))
    expect(runs.map(({ exit, stderr }) => [exit, stderr])).toEqual(Array(8).fill([0, '']))
    expect(new Set(runs.map((run) => run.json().space)).size).toBe(1)
    expect(new Set(runs.map((run) => run.json().project)).size).toBe(1)
    await server.stop()
  }, 60_000)

  it('--json exports JSON lines, and the settings of a named server are not shown as those of this machine', async () => {
    const run = await world.carrel(['run', '--json', '-a', 'scripted', script({ say: 'hi' })], {
      cwd: world.folder('out'),
    })
    const { session: id } = run.lines().at(-1)
    expect((await world.carrel(['export', id, '--json'])).lines()[0]).toMatchObject({ seq: 1, session: id })
    expect((await world.carrel(['export', id])).stdout).toMatch(/^# /)
    expect(await world.carrel(['export', id, '--json', '--as', 'markdown'])).toMatchObject({ exit: 64 })
    const config = await world.carrel(['config', '--url', 'http://127.0.0.1:9', '--token', 'x'])
    expect(config).toMatchObject({ exit: 64, stdout: '' })
  }, 60_000)

  it('restore --fork forks also where no file differs from the snapshot', async () => {
    const cwd = world.folder('same')
    const steps = script({ run: 'echo hi > a.txt' })
    const run = await world.carrel(['run', '--json', '-a', 'scripted', steps], { cwd })
    const { session } = run.lines().at(-1)
    const { n } = run.lines().findLast(({ type }) => type === 'snapshot.taken').data
    const args = ['restore', String(n), '--fork', session]
    const done = await world.carrel([...args, '--yes', '--json'], { cwd })
    expect(done.lines()).toMatchObject([{ entries: [] }, { forkedFrom: { session } }])
    const shown = await world.carrel(args, { cwd })
    expect(shown).toMatchObject({ exit: 0, stdout: '', stderr: expect.stringContaining('Nothing would change') })
  }, 60_000)

  it('a command reaches the server of this machine without the proxy of the environment', async () => {
    const server = await world.serve()
    let proxied = 0
    const proxy = createServer((_, response) => {
      proxied += 1
      response.writeHead(502).end()
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    for (const env of [{}, { NO_PROXY: 'example.org' }, { no_proxy: 'example.org' }]) {
      const done = await world.start(['ps'], {
        env: { HTTP_PROXY: url, http_proxy: url, NODE_USE_ENV_PROXY: '1', ...env },
      }).ended
      expect(done).toMatchObject({ exit: 0, stderr: 'No active runs.\n' })
    }
    expect(proxied).toBe(0)
    proxy.close()
    await server.stop()
  }, 60_000)
})
