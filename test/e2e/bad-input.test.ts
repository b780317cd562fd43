import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectWhole } from '../contracts/carrel-runs.ts'
import { startServer } from '../support/carrel-server.ts'
import { textOf } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld } from '../support/carrel-world.ts'

describe('a data folder', () => {
  it('whose token cannot be read gets no new one: the server does not start, and says why', async () => {
    const ground = makeTestFolder()
    mkdirSync(join(ground.dataFolder, 'token'), { recursive: true })
    await expect(openWorld({}, {}, ground)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`${join(ground.dataFolder, 'token')} cannot be read.`),
    })
  })
})

describe('the folder of a Space', () => {
  it('that cannot be looked at is not said to be missing', async () => {
    const world = await openWorld()
    const session = await world.session()
    const around = dirname(session.folder)
    rmSync(around, { recursive: true })
    symlinkSync(around, around)
    const ended = await session.run([{ say: 'never' }])
    expect(ended).toMatchObject({ error: { message: expect.stringContaining('A link there leads back to itself') } })
  })
})

describe('an agent that says nonsense', () => {
  it('L9: lines that are no messages are noticed and the run goes on', async () => {
    const world = await openWorld()
    const session = await world.session()
    const ended = await session.run([
      { garbage: 'npm warn something' },
      { garbage: '{"jsonrpc":"2.0","method":' },
      { garbage: '[1,2,3]' },
      { garbage: 'null' },
      { garbage: '{"jsonrpc":"2.0","method":"session/update","params":null}' },
      { garbage: '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"nobody","update":{}}}' },
      { garbage: '{"jsonrpc":"2.0","id":99999,"result":{}}' },
      { update: { sessionUpdate: 'agent_message_chunk' } },
      { update: { sessionUpdate: 42 } },
      { update: { sessionUpdate: 'tool_call' } },
      { update: { sessionUpdate: '__proto__', constructor: 1 } },
      { say: 'still here' },
    ])
    expect(ended).toMatchObject({ outcome: 'completed', error: null })
    expect(textOf(await session.items())).toContain('still here')
    const notices = (await session.items()).filter((item) => item.kind === 'notice')
    expect(notices.length).toBeGreaterThan(0)
    expect(JSON.stringify(notices)).toContain('npm warn something')
    await expectWhole(session)
  })

  it('L8: a message of 33 MiB fails the run with a message, and the next prompt works', async () => {
    const world = await openWorld()
    const session = await world.session()
    const ended = await session.run([{ say: 'here it comes' }, { huge: 33 * 1024 * 1024 }, { gate: 'never' }])
    expect(ended).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('more than 32 MiB') } })
    expect((await session.run([{ say: 'again' }])).outcome).toBe('completed')
    await expectWhole(session)
  })

  it('L8: a message of 8 MiB is whole in the log and clipped in its item', async () => {
    const world = await openWorld()
    const session = await world.session()
    const bytes = 8 * 1024 * 1024
    expect((await session.run([{ huge: bytes }])).outcome).toBe('completed')
    const said = (await session.eventsOf('agent.update')).flatMap((event) => {
      const { content } = event.data.update as { content?: { text?: string } }
      return content?.text?.length ?? []
    })
    expect(Math.max(...said)).toBe(bytes)
    expect(JSON.stringify(await session.items()).length).toBeLessThan(1024 * 1024)
    await expectWhole(session)
  })

  it('B4: files outside of the place are not written through Carrel, and read only without a sandbox', async () => {
    const world = await openWorld()
    const session = await world.session()
    const secret = join(world.root, 'secret.txt')
    writeFileSync(secret, 'the-secret')
    symlinkSync(world.root, session.path('way-out'))
    const paths = [
      ...[secret, join(session.folder, '..', '..', 'secret.txt'), `${session.folder}/../../secret.txt`],
      ...[session.path('way-out', 'secret.txt'), '/etc/hostname', 'secret.txt', '../../secret.txt'],
    ]
    const writes = paths.map((path) => ({
      request: { method: 'fs/write_text_file', params: { path, content: 'overwritten' } },
    }))
    const ended = await session.run([
      { say: 'The answers are: ' },
      ...writes,
      { request: { method: 'terminal/create', params: { command: 'cat', args: ['secret.txt'], cwd: world.root } } },
    ])
    expect(ended.outcome).toBe('completed')
    const answers = textOf(await session.items())
    expect(answers.match(/"error"/g)).toHaveLength(writes.length + 1)
    expect(answers).not.toContain('the-secret')
    // The agent may read this file by itself.
    await session.run([{ request: { method: 'fs/read_text_file', params: { path: secret } } }])
    expect(textOf(await session.items())).toContain('the-secret')
    expect(readFileSync(secret, 'utf8')).toBe('the-secret')
    expect(existsSync(session.path('secret.txt'))).toBe(false)
    const inside = await session.run([
      { write: 'fine.txt', content: 'fine', via: 'client', ask: false },
      { read: 'fine.txt', via: 'client' },
    ])
    expect(inside.outcome).toBe('completed')
    expect(readFileSync(session.path('fine.txt'), 'utf8')).toBe('fine')
  })

  it('B1: an agent that asks for a session of another workspace gets `not_found`', async () => {
    const world = await openWorld()
    await world.carrel.call('workspaces.create', { id: 'theirs' })
    const [mine, theirs] = [await world.session(), await world.session({ workspace: 'theirs' })]
    await theirs.run([{ say: 'x' }])
    const acpSession = (await theirs.eventsOf('context.opened'))[0]?.data.acpSession
    const params = { sessionId: acpSession, path: theirs.path('a.txt'), content: 'x' }
    expect(
      (await mine.run([{ say: 'It says: ' }, { request: { method: 'fs/write_text_file', params } }])).outcome,
    ).toBe('completed')
    expect(textOf(await mine.items())).toContain('"error"')
    expect(existsSync(theirs.path('a.txt'))).toBe(false)
  })
})

describe('a full disk', () => {
  it('L5: a full disk is reported; with room the server continues, and no acknowledged write is lost', async (test) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return test.skip('only root of a Linux machine may mount a small disk')
    const testFolder = makeTestFolder()
    const disk = join(testFolder.root, 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { stdio: 'pipe' })
    } catch {
      return test.skip('this machine forbids mounting a small disk')
    }
    onTestFinished(() => {
      execFileSync('umount', ['-l', disk])
    })
    const server = await startServer(testFolder, { dataFolder: join(disk, 'data') })
    const session = await server.session()
    expect((await session.run([{ say: 'before' }])).outcome).toBe('completed')
    fill(join(disk, 'ballast'))
    const refused: string[] = []
    const taken: string[] = []
    for (let each = 0; each < 40; each += 1) {
      await session.prompt(`/say ${'x'.repeat(8_192)}`, { key: `k${each}` }).then(
        ({ prompt }) => taken.push(prompt),
        (error) => refused.push(`${error.code}: ${error.message}`),
      )
    }
    expect(refused.length).toBeGreaterThan(0)
    for (const words of refused) expect(words).toMatch(/^unavailable: .*(disk|space|full).*\.$/i)
    rmSync(join(disk, 'ballast'))
    for (const prompt of taken) await session.endOf(prompt)
    expect((await session.run([{ say: 'after' }])).outcome).toBe('completed')
    const asked = (await session.eventsOf('prompt.requested')).map((event) => event.data.prompt)
    expect(asked.filter((prompt) => taken.includes(prompt as string))).toEqual(taken)
    await expectWhole(session)
    await server.kill()
    const again = await startServer(testFolder, { dataFolder: join(disk, 'data') })
    await expectWhole(session.through(again.carrel))
  })
})

/** Fills the disk. */
function fill(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(65_536), { flag: 'a' })
  } catch {
    // Full, as intended. Take the rest below a page as well.
    try {
      for (;;) writeFileSync(path, Buffer.alloc(512), { flag: 'a' })
    } catch {}
  }
}
