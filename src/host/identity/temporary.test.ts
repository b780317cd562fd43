import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { connect, listen, never, newPlace, steps, top } from '../../../test/support/scripted-setup.ts'
import { dropOthers } from '../keeper/client.ts'
import { temporaryOf } from './temporary.ts'

const KEEPER = '0123456789abcdef'

it('leaves room for a socket path, also for a deep data folder', () => {
  const near = temporaryOf('/home/ada/.local/share/carrel/keepers', KEEPER)
  expect(near).toBe(`/home/ada/.local/share/carrel/tmp/${KEEPER}`)
  const deep = temporaryOf(`/home/ada/${'deep/'.repeat(8)}keepers`, KEEPER)
  expect(deep).toMatch(/\/carrel-[0-9a-f]{24}$/)
  expect(temporaryOf(`/home/ada/${'deep/'.repeat(9)}keepers`, KEEPER)).not.toBe(deep)
})

it('P3: each process has its own, private to its owner and removed with it', async () => {
  const [{ connection }, { connection: other }] = await Promise.all([connect(), connect()])
  const place = newPlace()
  const one = await connection.open(place, listen().listener, never)
  const list = 'for at in "$TMPDIR" "$TMP" "$TEMP"; do echo x > "$at/f"; echo "$at"; done >'
  await one.prompt(steps({ run: `${list} agent` }, { run: `${list} client`, via: 'client' }))
  const { temporary } = connection
  expect(statSync(temporary).mode & 0o777).toBe(0o700)
  for (const by of ['agent', 'client'])
    expect(readFileSync(join(place.cwd, by), 'utf8')).toBe(`${temporary}\n`.repeat(3))
  expect([temporary, other.temporary].map((folder) => readdirSync(folder))).toEqual([['f'], []])
  await connection.kill()
  await connection.forget()
  expect([temporary, other.temporary].map((folder) => existsSync(folder))).toEqual([false, true])
})

it('is removed with an agent that did not start; leftovers are removed at the next start', async () => {
  const keepers = join(top, 'failing/keepers')
  const temporary = dirname(temporaryOf(keepers, KEEPER))
  await expect(connect({ launch: { command: 'no-such-agent', keepers } })).rejects.toThrow('is not installed')
  expect([...readdirSync(temporary), ...readdirSync(keepers)]).toEqual([])
  for (const folder of [join(keepers, KEEPER), temporaryOf(keepers, KEEPER)]) mkdirSync(folder, { recursive: true })
  await dropOthers({ keepers, ledger: join(top, 'processes') }, new Set())
  expect([...readdirSync(temporary), ...readdirSync(keepers)]).toEqual([])
})
