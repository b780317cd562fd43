import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { agentIn, machine, noSandbox } from '../../../test/support/sandbox-setup.ts'

const MODES = ['guard', 'strict'] as const
const why = await noSandbox()
const untried = why ? ` (not tried: ${why})` : ''

describe.skipIf(why !== null)(`an agent in a sandbox${untried}`, () => {
  it.each(MODES)('%s: works in its place and its temporary folder, and so do its terminals', async (mode) => {
    const m = machine()
    const { run } = await agentIn(m, { mode })
    const work = (name: string) =>
      `pwd; cat a.txt; echo ${name} > ${name}; mkdir -p sub; echo x > sub/${name}; echo $TMPDIR; echo t >> $TMPDIR/shared; cat /tmp/shared; echo x > /dev/null`
    expect(await run(work('agent'))).toMatchObject({ ok: true })
    const terminal = await run(work('terminal'), 'client')
    expect(terminal).toMatchObject({ ok: true, text: expect.stringContaining(`${m.mine}\\na/tmp\\nt\\nt`) })
    expect(readFileSync(join(m.mine, 'agent'), 'utf8')).toBe('agent\n')
    expect(readFileSync(join(m.mine, 'sub/terminal'), 'utf8')).toBe('x\n')
    expect(existsSync('/tmp/shared')).toBe(false)
  })

  it.each(MODES)(
    '%s: writes nowhere else: not beside, not through links, not into another place or its .git, not in the home',
    async (mode) => {
      const m = machine()
      mkdirSync(m.at('work/beside'))
      symlinkSync(m.at('work/theirs'), join(m.mine, 'link'))
      const rest = () => tree(m.top).filter((path) => !/^(work\/mine|data\/(keepers|scripted-agent|ledger))/.test(path))
      const before = rest()
      const { run } = await agentIn(m, { mode })
      const targets = [
        '../beside/x',
        '../x',
        'link/x',
        m.at('work/theirs/.git/config'),
        m.at('home/x'),
        m.at('home/notes.txt'),
        m.at('data/places/other/.git/config'),
        m.at('data/x'),
        '/etc/carrel-was-here',
      ]
      const tries = [
        ...targets.map((target) => `echo x >> ${target}`),
        `ln -s ${m.at('work/theirs')} made-$$; echo x > made-$$/y`,
        'mv a.txt ../beside/',
        `rm -rf ${m.at('work/theirs')} ${m.at('home')}`,
      ]
      for (const via of ['agent', 'client']) {
        const { text } = await run(attempts(tries), via)
        expect(text.match(/\[(stopped|DONE)\]/g)).toEqual(tries.map(() => '[stopped]'))
        expect(text).toContain('Read-only file system')
      }
      expect(rest()).toEqual(before)
      expect(readFileSync(m.at('home/notes.txt'), 'utf8')).toBe('notes')
      expect(readFileSync(m.at('work/theirs/.git/config'), 'utf8')).toBe('[core]\n')
    },
  )

  it.each(MODES)(
    '%s: reads no secrets: not the folders of people, not the logins of other agents, not the data of Carrel',
    async (mode) => {
      const m = machine()
      symlinkSync(m.at('home/.ssh'), join(m.mine, 'keys'))
      const { run } = await agentIn(m, { mode })
      const ssh = m.at('home/.ssh')
      const secrets = [
        'home/.ssh/id_rsa',
        'home/.aws/credentials',
        'home/.gnupg/key',
        'home/.netrc',
        'home/.codex/auth.json',
        'data/token',
      ]
      const tries = [
        ...[...secrets, 'data/places/other/.git/config'].map((path) => `cat ${m.at(path)}`),
        'cat keys/id_rsa',
        ...[ssh, m.data, m.at('data/keepers')].map((folder) => `ls ${folder}`),
        `umount ${ssh}`,
        `chmod 777 ${ssh}`,
        'mount -o remount,rw /',
        `unshare -Urm umount ${ssh}`,
      ]
      for (const via of ['agent', 'client']) {
        const { text } = await run(`cat ${m.at('home/notes.txt')}; ${attempts(tries)}`, via)
        expect(text).toMatch(/^\["notes/)
        expect(text.match(/\[(stopped|DONE)\]/g)).toEqual(tries.map(() => '[stopped]'))
        expect(text).not.toContain('SECRET')
      }
    },
  )

  it.each(MODES)('%s: sees and ends no neighbour', async (mode) => {
    const m = machine()
    const neighbour = spawn('sleep', ['1000'], { env: { CANARY: 'SECRET' } })
    onTestFinished(() => void neighbour.kill('SIGKILL'))
    const { run } = await agentIn(m, { mode })
    const tries = [neighbour.pid, process.pid].map((pid) => `kill -9 ${pid}`)
    for (const via of ['agent', 'client']) {
      const { text } = await run(`${attempts(tries)}; cat /proc/[0-9]*/environ; true`, via)
      expect(text.match(/\[(stopped|DONE)\]/g)).toEqual(['[stopped]', '[stopped]'])
      expect(text).not.toContain('CANARY')
    }
    await run('kill -9 -1', 'client')
    expect(neighbour.exitCode ?? neighbour.signalCode).toBeNull()
  })

  it('talks to no socket of the machine in /run and /tmp', async () => {
    const m = machine()
    const path = `/tmp/carrel-docker-${process.pid}.sock`
    const server = createSocketServer((socket) => socket.end('master'))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    onTestFinished(() => void server.close())
    const { run } = await agentIn(m)
    const call = `${process.execPath} -e 'require("net").connect("${path}").on("data", (d) => console.log(String(d)))'`
    expect(await run(call)).toMatchObject({ ok: false, text: expect.stringContaining('ENOENT') })
    expect(await run('ls /run')).toMatchObject({ ok: false })
  })

  it('commits in its own repository, and gives no orders to the git of others', async () => {
    const m = machine()
    const git = (...words: string[]) => execFileSync('git', words, { cwd: m.mine, env: IDENTITY, encoding: 'utf8' })
    git('init', '-q')
    const { run } = await agentIn(m)
    const identity = Object.entries(IDENTITY)
      .map(([name, value]) => `${name}="${value}"`)
      .join(' ')
    expect(await run(`export ${identity}; git add -A && git commit -qm one`)).toMatchObject({ ok: true })
    expect(git('log', '--format=%s')).toBe('one\n')
    const orders = [
      'git config core.fsmonitor /tmp/x',
      'echo x > .git/hooks/pre-commit',
      'rm -rf .git/hooks',
      'mv .git/config .git/c',
    ]
    const { text } = await run(attempts(orders))
    expect(text.match(/\[(stopped|DONE)\]/g)).toEqual(orders.map(() => '[stopped]'))
  })

  it('follows no link that stands where its own .git should be', async () => {
    const m = machine()
    symlinkSync('../theirs/.git', join(m.mine, '.git'))
    const { run } = await agentIn(m)
    expect(await run('echo x >> .git/config')).toMatchObject({ ok: false })
    expect(readFileSync(m.at('work/theirs/.git/config'), 'utf8')).toBe('[core]\n')
  })

  it('a sandbox of its own works inside', async () => {
    const m = machine()
    const { run } = await agentIn(m)
    // The kernel forbids a second /proc mount where parts of root's first one had to be covered.
    const proc = process.getuid?.() === 0 ? '' : '--proc /proc'
    const nested = `bwrap --unshare-user --unshare-pid --ro-bind / / --dev /dev ${proc} --bind $PWD $PWD --die-with-parent`
    expect(await run(`${nested} sh -c 'echo in > nested; ! echo x > /tmp/x'`)).toMatchObject({ ok: true })
    expect(readFileSync(join(m.mine, 'nested'), 'utf8')).toBe('in\n')
  })

  it.each(MODES)('%s: ends with all it started, by its end of input and by SIGTERM', async (mode) => {
    const m = machine()
    const { connection, run } = await agentIn(m, { mode })
    await run('setsid sleep 1000 > /dev/null 2>&1 &')
    expect((await connection.descendants()).length).toBeGreaterThan(0)
    await connection.stop()
    expect(await connection.exited).toMatchObject({ code: 0 })
    expect(await connection.descendants()).toEqual([])
    const other = await agentIn(
      m,
      { mode },
      {
        env: {
          PATH: process.env.PATH ?? '',
          HOME: m.home,
          SCRIPTED_QUIRKS: 'no_eof',
          CARREL_SCRIPTED_HOME: m.at('data/scripted-agent'),
        },
      },
    )
    await other.connection.stop()
    expect(await other.connection.exited).toMatchObject({ signal: 'SIGTERM' })
    await connection.forget()
    await other.connection.forget()
    expect(readdirSync(m.at('data/keepers'))).toEqual([])
  })
})

describe.skipIf(why !== null)(`the network${untried}`, () => {
  const origin = async (host: string) => {
    const server = createServer((_incoming, answer) => answer.end('reached'))
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    onTestFinished(() => void server.close())
    return (server.address() as AddressInfo).port
  }
  const fetching = (url: string) =>
    `${process.execPath} -e 'fetch("${url}").then(async (r) => { console.log(r.status, await r.text()); process.exit(r.ok ? 0 : 1) })'`

  it('guard leaves the network open', async () => {
    const port = await origin('127.0.0.1')
    const { run } = await agentIn(machine())
    expect(await run(fetching(`http://127.0.0.1:${port}`))).toMatchObject({ ok: true })
  })

  it('strict reaches listed hosts and nothing else, and tells the agent each time, the person once', async () => {
    const [allowed, forbidden] = [await origin('127.0.0.2'), await origin('127.0.0.3')]
    const { run, heard } = await agentIn(machine(), { mode: 'strict', hosts: [`127.0.0.2:${allowed}`] })
    for (const via of ['agent', 'client']) {
      expect(await run(fetching(`http://127.0.0.2:${allowed}`), via)).toMatchObject({ ok: true })
      const refused = await run(fetching(`http://127.0.0.3:${forbidden}`), via)
      expect(refused).toMatchObject({ ok: false })
      if (via === 'agent') expect(refused.text).toContain(`The sandbox blocks connections to 127.0.0.3:${forbidden}`)
    }
    const past = `${process.execPath} -e 'require("net").connect(${forbidden}, "127.0.0.3").on("data", () => process.exit(0))'`
    expect(await run(past)).toMatchObject({ ok: false, text: expect.stringContaining('ECONNREFUSED') })
    expect(heard.notices).toEqual([expect.stringContaining(`blocked a connection to 127.0.0.3:${forbidden}`)])
  })

  it('strict has its own loopback', async () => {
    const { run } = await agentIn(machine(), { mode: 'strict' })
    const own = `${process.execPath} -e 'const s = require("http").createServer((q, a) => a.end("own")).listen(4000, async () => { console.log(await (await fetch("http://localhost:4000")).text()); s.close() })'`
    expect(await run(own)).toMatchObject({ ok: true, text: expect.stringContaining('own') })
  })
})

const IDENTITY = {
  PATH: process.env.PATH ?? '',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
  GIT_CONFIG_GLOBAL: '/dev/null',
}

/** Runs each attempt on its own and returns the results. */
const attempts = (tries: readonly string[]) =>
  tries.map((one) => `if sh -c '${one}'; then echo "[DONE]"; else echo "[stopped]"; fi`).join('; ')

function tree(top: string): string[] {
  return readdirSync(top, { recursive: true, encoding: 'utf8' }).sort()
}
