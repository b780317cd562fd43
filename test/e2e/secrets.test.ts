import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { digestOf, digestStep, filesWith } from '../contracts/carrel-secrets.ts'
import { killAgents, startServer } from '../support/carrel-server.ts'
import { eventually } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld } from '../support/carrel-world.ts'

const DEFAULT = { workspace: 'default' } as const

it('B3: a run that needs a lost key fails with a message, and nothing else breaks', async () => {
  const world = await openWorld()
  const one = await world.session()
  const other = await world.session()
  const put = (name: string, value: string) =>
    world.carrel.call('secrets.put', { ...DEFAULT, name, value, space: one.space.id })
  await put('TOKEN', 'lost-canary')
  const key = join(world.dataFolder, 'secrets.key')
  expect(statSync(key).mode & 0o777).toBe(0o600)
  const kept = readFileSync(key, 'utf8')
  rmSync(key)
  await world.restart()
  const here = one.through(world.carrel)
  const ended = await here.run([{ say: 'hello' }])
  expect(ended.outcome).toBe('failed')
  expect(ended.error?.message).toMatch(
    /^The secret TOKEN cannot be decrypted: its key .* Restore the key .*secrets put TOKEN/,
  )
  expect((await other.through(world.carrel).run([{ say: 'hello' }])).outcome).toBe('completed')
  const { secrets } = await world.carrel.call('secrets.list', DEFAULT)
  expect(secrets).toMatchObject([{ name: 'TOKEN', readable: false }])
  // Another secret is sealed under a new key; the old key may return beside it.
  await put('SECOND', 'second-canary')
  expect(await world.carrel.call('secrets.rotate', {})).toMatchObject({ sealed: 1, unreadable: 1 })
  expect((await here.run([{ say: 'hello' }])).outcome).toBe('failed')
  writeFileSync(key, `${readFileSync(key, 'utf8')}${kept}`)
  expect((await here.run([digestStep('TOKEN'), digestStep('SECOND')])).outcome).toBe('completed')
  const said = JSON.stringify(await here.log())
  for (const value of ['lost-canary', 'second-canary']) expect(said).toContain(digestOf(value))
})

it('B3: a wrong key, a missing key and a key that may not be changed have different errors', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const keyOf = (letter: string) => Buffer.alloc(32, letter).toString('base64')
  const open = async (key: string) => {
    const world = await openWorld({}, { env: { ...testFolder.env, CARREL_SECRETS_KEY: key } }, testFolder)
    return world
  }
  const first = await open(keyOf('a'))
  const session = await first.session()
  await first.carrel.call('secrets.put', { ...DEFAULT, name: 'TOKEN', value: 'given-canary' })
  await expect(first.carrel.call('secrets.rotate', {})).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('in front of the old one'),
  })
  await first.engine.close()
  const wrong = await open(keyOf('b'))
  const ended = await session.through(wrong.carrel).run([{ say: 'hello' }])
  expect(ended.error?.message).toMatch(/^The secret TOKEN cannot be decrypted: .*in CARREL_SECRETS_KEY/)
  await wrong.engine.close()
  const broken = await open('not a key')
  await expect(
    broken.carrel.call('secrets.put', { ...DEFAULT, name: 'OTHER', value: 'other-canary' }),
  ).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^CARREL_SECRETS_KEY contains an invalid key/),
  })
  await broken.engine.close()
  const both = await open(`${keyOf('b')},${keyOf('a')}`)
  expect(await both.carrel.call('secrets.rotate', {})).toMatchObject({ sealed: 1, unreadable: 0 })
  await both.engine.close()
  const only = await open(keyOf('b'))
  const last = session.through(only.carrel)
  await last.run([digestStep('TOKEN')])
  expect(JSON.stringify(await last.log())).toContain(digestOf('given-canary'))
  expect(filesWith(testFolder.dataFolder, ['given-canary'])).toEqual([])
})

it('B3: a row that is moved to another name or workspace does not open there', async () => {
  const testFolder = makeTestFolder()
  const world = await openWorld({}, {}, testFolder)
  const session = await world.session()
  await world.carrel.call('secrets.put', { ...DEFAULT, name: 'TOKEN', value: 'moved-canary' })
  await world.engine.close()
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(join(testFolder.dataFolder, 'carrel.db'))
  db.exec("update secrets set name = 'STOLEN'")
  db.close()
  const again = await openWorld({}, {}, testFolder)
  const ended = await session.through(again.carrel).run([{ run: 'echo $STOLEN' }])
  expect(ended.error?.message).toMatch(/^The secret STOLEN cannot be opened, although its key exists/)
})

it('B3, P5: a run that outlives its server keeps its secret, and the next server masks it', async () => {
  const testFolder = makeTestFolder()
  const settings = { outliveMs: 120_000 }
  const first = await startServer(testFolder, settings)
  const before = await first.session()
  await first.carrel.call('secrets.put', { ...DEFAULT, name: 'TOKEN', value: 'outliving-canary' })
  const { prompt } = await before.prompt([
    { say: 'one' },
    { gate: 'go' },
    digestStep('TOKEN'),
    { say: 'it is $TOKEN', expand: true },
  ])
  // A prompt that has not reached its agent is handed over by the next server, to a process of its own.
  await before.until('agent.update', ({ data }) => JSON.stringify(data.update).includes('agent_message_chunk'))
  await first.kill()
  before.open('go')
  const second = await startServer(testFolder, settings)
  const session = before.through(second.carrel)
  expect((await session.endOf(prompt)).data.outcome).toBe('completed')
  await session.run([{ say: 'again $TOKEN', expand: true }])
  const said = JSON.stringify(await session.log())
  expect(said).toContain(digestOf('outliving-canary'))
  expect(said).toContain('it is [secret TOKEN]')
  expect(said).toContain('again [secret TOKEN]')
  // The same process has the same environment.
  expect(await session.eventsOf('context.opened')).toHaveLength(1)
  await second.stop()
  killAgents(testFolder)
  expect(filesWith(join(testFolder.dataFolder, 'logs'), ['outliving-canary'])).toEqual([])
})

it('B3: a rotation interrupted by kill -9 leaves everything readable, and the next one finishes it', {
  tags: ['long'],
}, async () => {
  const testFolder = makeTestFolder()
  const server = await startServer(testFolder)
  const session = await server.session()
  const COUNT = 400
  for (let index = 0; index < COUNT; index += 1)
    await server.carrel.call('secrets.put', { ...DEFAULT, name: `S${index}`, value: `rotated-canary-${index}` })
  const lines = () => readFileSync(join(testFolder.dataFolder, 'secrets.key'), 'utf8').trim().split('\n').length
  expect(lines()).toBe(1)
  const asked = server.carrel.call('secrets.rotate', {}).catch(() => null)
  await eventually('the new key is beside the old one', () => lines() === 2)
  await server.kill()
  await asked
  const second = await startServer(testFolder)
  const { secrets } = await second.carrel.call('secrets.list', DEFAULT)
  expect(secrets.every(({ readable }) => readable)).toBe(true)
  const done = await second.carrel.call('secrets.rotate', {})
  expect(done.unreadable).toBe(0)
  expect(lines()).toBe(1)
  const later = session.through(second.carrel)
  const names = ['S0', `S${COUNT - 1}`]
  await later.run(names.map(digestStep))
  const said = JSON.stringify(await later.log())
  for (const name of names) expect(said).toContain(digestOf(`rotated-canary-${name.slice(1)}`))
  await second.stop()
  const store = await openSqlite({ path: join(testFolder.dataFolder, 'carrel.db') })
  expect(await store.secrets.sealedOtherwise(done.key, null, COUNT)).toEqual([])
  await store.close()
})
