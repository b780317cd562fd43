import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  connect,
  type Json,
  listen,
  never,
  newPlace,
  session,
  steps,
  top,
} from '../../../test/support/scripted-setup.ts'
import { type AgentLaunch, reopenableAt } from './agent.ts'
import { allAgents, detectAgents } from './known-agents.ts'
import { besideOf, resolveRead } from './reach.ts'

describe('files and terminals of the client', () => {
  it('are served inside the roots, whole or not at all, with the mode kept', async () => {
    const { one, heard, place } = await session()
    writeFileSync(join(place.cwd, 'run.sh'), 'old', { mode: 0o755 })
    await one.prompt(
      steps({ write: 'run.sh', content: 'new\nsecond', via: 'client', ask: false }, { read: 'run.sh', via: 'client' }),
    )
    expect(readFileSync(join(place.cwd, 'run.sh'), 'utf8')).toBe('new\nsecond')
    expect(statSync(join(place.cwd, 'run.sh')).mode & 0o777).toBe(0o755)
    expect(heard.wrote).toEqual([join(place.cwd, 'run.sh')])
    await one.prompt(
      steps({
        request: { method: 'fs/read_text_file', params: { path: join(place.cwd, 'run.sh'), line: 2, limit: 1 } },
      }),
    )
    expect(heard.text()).toContain('{"content":"second"}')
  })

  it('write and start nothing outside of the roots; without a sandbox, reads reach what the agent reads itself', async () => {
    const { one, heard, place } = await session()
    const outside = join(top, 'outside.txt')
    writeFileSync(outside, 'of others')
    symlinkSync(outside, join(place.cwd, 'link'))
    symlinkSync(join(top, 'not-yet'), join(place.cwd, 'dangling'))
    symlinkSync(top, join(place.cwd, 'up'))
    const ways = [
      outside,
      `${place.cwd}/../outside.txt`,
      join(place.cwd, 'link'),
      join(place.cwd, 'up/outside.txt'),
      join(place.cwd, 'dangling'),
    ]
    for (const path of ways)
      await one.prompt(steps({ request: { method: 'fs/write_text_file', params: { path, content: 'x' } } }))
    await one.prompt(steps({ request: { method: 'terminal/create', params: { command: 'ls', cwd: top } } }))
    expect(heard.text().match(/-32602/g)).toHaveLength(ways.length + 1)
    await one.prompt(steps({ request: { method: 'fs/read_text_file', params: { path: outside } } }))
    expect(heard.text()).toContain('{"content":"of others"}')
    const walled = besideOf({ sandbox: {}, env: {} } as AgentLaunch)
    for (const path of [...ways, 'relative']) await expect(resolveRead(path, place, walled)).rejects.toThrow(/outside/)
    expect(readFileSync(outside, 'utf8')).toBe('of others')
    expect(existsSync(join(top, 'not-yet'))).toBe(false)
    expect(lstatSync(join(place.cwd, 'link')).isSymbolicLink()).toBe(true)
    expect(heard.wrote).toEqual([])
  })

  it("write into the agent's own folders too, but not where others take programs from", async () => {
    const own = join(newPlace().cwd, 'own')
    mkdirSync(join(own, 'bin'), { recursive: true })
    const env = { PATH: `${process.env.PATH}:${join(own, 'bin')}` }
    const { one, heard } = await session({ env, launch: { ownPaths: [`${own}/`, join(top, 'own.json')] } })
    const write = (path: string) => ({ request: { method: 'fs/write_text_file', params: { path, content: 'x' } } })
    await one.prompt(steps(write(join(own, 'plans/a.md'))))
    expect(readFileSync(join(own, 'plans/a.md'), 'utf8')).toBe('x')
    await one.prompt(steps(write(join(own, 'bin/tool')), write(`${own}-not/a`)))
    expect(heard.text().match(/-32602/g)).toHaveLength(2)
  })

  it('answer a missing file with an error, and to Gemini with nothing', async () => {
    const ask = steps({ request: { method: 'fs/read_text_file', params: { path: 'PLACE/none' } } })
    const missing = async (env: Record<string, string>) => {
      const { one, heard, place } = await session({ env })
      await one.prompt([{ type: 'text', text: (ask[0] as Json).text.replace('PLACE', place.cwd) }])
      return heard.text()
    }
    expect(await missing({})).toContain('-32002')
    expect(await missing({ SCRIPTED_NAME: 'gemini-cli' })).toBe('{"content":""}')
  })

  it('run a command to its end, cut its output at the limit, and end its whole group on cancel', async () => {
    const { one, heard, place, frames } = await session()
    await one.prompt(steps({ run: 'echo out; echo err >&2', via: 'client' }))
    expect(JSON.stringify(heard.updates)).toMatch(/out\\nerr\\n|err\\nout\\n/)
    const create = { command: 'printf "aäääää"', outputByteLimit: 6 }
    await one.prompt(
      steps(
        { request: { method: 'terminal/create', params: create } },
        { request: { method: 'terminal/wait_for_exit', params: { terminalId: 'terminal-2' } } },
        { request: { method: 'terminal/output', params: { terminalId: 'terminal-2' } } },
      ),
    )
    expect(heard.text()).toContain('{"output":"äää","truncated":true,"exitStatus":{"exitCode":0,"signal":null}}')
    const done = one.prompt(steps({ run: 'setsid sleep 21212 & echo $! > pid; wait', via: 'client' }))
    await expect.poll(() => existsSync(join(place.cwd, 'pid'))).toBe(true)
    one.cancel()
    expect(await done).toMatchObject({ stopReason: 'cancelled' })
    const answered = () =>
      frames.some(({ direction, frame }) => direction === 'out' && frame.result?.signal === 'SIGKILL')
    await expect.poll(answered).toBe(true)
  })
})

it('a session of Gemini is not loaded again within the clock minute in which it was opened', () => {
  const info = (name: string) => ({ protocolVersion: 1, agentInfo: { name }, agentCapabilities: {}, authMethods: [] })
  expect(reopenableAt(info('gemini-cli'), 60_000)).toBe(121_000)
  expect(reopenableAt(info('gemini-cli'), 119_999)).toBe(121_000)
  expect(reopenableAt(info('codex'), 60_500)).toBe(60_500)
})

describe('starting', () => {
  it('says what to do when the program is missing, needs a login, or does not answer', async () => {
    const launch = { command: 'no-such-agent', args: [], install: 'npm install -g it' }
    await expect(connect({ launch })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('npm install -g it'),
    })
    await expect(
      connect({ launch: { command: '/bin/sh', args: ['-c', 'echo broken config >&2; exit 4'] } }),
    ).rejects.toThrow(/exit code 4.*broken config/)
    await expect(connect({ launch: { command: 'sleep', args: ['1000'], initializeTimeoutMs: 50 } })).rejects.toThrow(
      /did not answer/,
    )
    const { connection } = await connect({ env: { SCRIPTED_QUIRKS: 'login' }, launch: { login: 'run `it login`.' } })
    await expect(connection.open(newPlace(), listen().listener, never)).rejects.toThrow(
      /needs a login. Log in: run `it login`/,
    )
  })

  it('finds agents on the PATH it is given and merges custom ones', async () => {
    const bin = join(top, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'qwen'), '#!/bin/sh\necho qwen 1.2.3\n', { mode: 0o755 })
    writeFileSync(join(bin, 'gemini'), 'not executable')
    const recipes = allAgents([
      { id: 'mine', name: 'Mine', command: 'mine' },
      { id: 'codex', args: ['-c', 'x=1'] },
    ])
    expect(recipes.find((one) => one.id === 'codex')).toMatchObject({ command: 'codex-acp', args: ['-c', 'x=1'] })
    const found = await detectAgents(recipes, { path: bin, home: top })
    expect(found.filter((one) => one.installed).map((one) => [one.id, one.version])).toEqual([
      ['scripted', null],
      ['qwen', '1.2.3'],
    ])
    expect(found.find((one) => one.id === 'mine')).toMatchObject({ origin: 'custom', program: null })
    expect(() => allAgents([{ id: 'half' }])).toThrow(/half.*not complete/)
  })

  it('serves many sessions in one process without cross-talk, each with its modes and options', async () => {
    const { connection } = await connect()
    const all = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const heard = listen()
        const one = await connection.open(newPlace(), heard.listener, never)
        await one.setMode('auto')
        await one.prompt(steps({ repeat: 10, say: `<${index}>` }, { write: 'f', content: String(index) }))
        await one.close()
        return { heard, index }
      }),
    )
    for (const { heard, index } of all) {
      expect(heard.text()).toBe(`<${index}>`.repeat(10))
      expect(heard.asked).toEqual([])
    }
  })
})
