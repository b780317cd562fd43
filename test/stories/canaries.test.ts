import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { makeBackup } from '../../src/engine/backup.ts'
import type { Surroundings } from '../../src/model/surroundings.ts'
import { filesWith } from '../promises/carrel-secrets.ts'
import { eventually } from '../support/carrel-session.ts'
import { openWorld, scriptedAgent } from '../support/carrel-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

vi.setConfig({ testTimeout: 120_000 })

const RUNS = 12
const why = await noSandbox()
const strict = why === null
const bird = (at: number) => `bird-${at}-tweet`
const song = (at: number) => `song-${at}-nobody-may-hear`
/** Every fourth one is in a sandbox, where there are any, and looks everywhere; the others look where they are led to. */
const isKept = (at: number) => strict && at % 4 === 0

const SING = [
  { run: 'for at in "$HOME" "$TMPDIR"; do echo "$BIRD $SONG" > "$at/sung"; done; echo "$SONG" >&2' },
  { write: 'sung', content: '', ask: false },
  { gate: 'go' },
]
/** Values as they begin only: in full they would be hidden. */
const LISTEN = (where: string) =>
  `{ env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; grep -r . ${where}; } 2> /dev/null | tr '\\0' '\\n' | grep -ao '\\(bird\\|song\\)-[0-9]*-' | sort -u > heard`
const NEAR = '"$HOME" "$TMPDIR"'
const EVERYWHERE = `${NEAR} /tmp "$DATA"`

it(`P3, B3, B4: of ${RUNS} runs at once none meets another one’s variables, secrets, ports, home or temporary folder; nor do logs and a backup${strict ? '' : ` (none in strict: ${why})`}`, async () => {
  const world = await openWorld({ agents: [scriptedAgent('bird', { passEnv: [] })] })
  const { carrel, dataFolder } = world
  const all = await Promise.all(Array.from({ length: RUNS }, () => world.session({ agent: 'bird' })))
  for (const [at, { workspace, space }] of all.entries()) {
    const home = at % 3 === 0 ? 'run' : 'space'
    const sandbox = isKept(at) ? 'strict' : 'off'
    const env = { BIRD: bird(at), DATA: dataFolder }
    await carrel.call('secrets.put', { workspace, space: space.id, name: 'SONG', value: song(at) })
    const settings: Surroundings = { env, ports: ['web'], home, sandbox }
    await carrel.call('surroundings.set', { workspace, space: space.id, settings })
  }
  const prompts = await Promise.all(
    all.map((session, at) => {
      const listen = LISTEN(isKept(at) ? EVERYWHERE : NEAR)
      return session.prompt([...SING, { run: `${listen}; echo "$CARREL_PORT_WEB" > port; echo "$BIRD $SONG"` }])
    }),
  )
  const sung = () => all.every((session) => existsSync(session.path('sung')))
  await eventually('all are at work at once', sung, 100_000)
  for (const session of all) session.open('go')
  const ended = await Promise.all(all.map((session, at) => session.endOf(prompts[at]?.prompt ?? '')))
  expect(ended.map(({ data }) => data.outcome)).toEqual(all.map(() => 'completed'))

  const read = (at: number, name: string) => readFileSync(all[at]?.path(name) ?? '', 'utf8').trim()
  for (const [at, session] of all.entries()) {
    expect(read(at, 'heard').split('\n'), `run ${at}`).toEqual([`bird-${at}-`, `song-${at}-`])
    const words = JSON.stringify(await session.log())
    expect([...new Set(words.match(/(bird|song)-\d+-\w*/g))]).toEqual([bird(at)])
    const own = join(dataFolder, 'logs', 'runs', ended[at]?.data.run ?? '')
    expect(filesWith(join(dataFolder, 'logs'), [bird(at)])).toEqual([join(own, 'run.json')])
  }
  expect(new Set(all.map((_, at) => read(at, 'port'))).size).toBe(RUNS)
  const songs = all.map((_, at) => song(at))
  expect(filesWith(join(dataFolder, 'logs'), songs)).toEqual([])
  const backup = join(world.root, 'backup')
  await makeBackup(
    { dataFolder, databaseUrl: null, filesOnly: false, version: 'test', now: Date.now() },
    backup,
    () => undefined,
  )
  expect(filesWith(backup, songs)).toEqual([])
})
