/** @module-tag long */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { makeBackup } from '../../src/engine/backup/backup.ts'
import type { Environment } from '../../src/model/settings/environment.ts'
import { filesWith } from '../contracts/carrel-secrets.ts'
import { browserHere } from '../support/browser-setup.ts'
import { eventually } from '../support/carrel-session.ts'
import { openWorld, scriptedAgent } from '../support/carrel-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

const RUNS = 50
const why = await noSandbox()
const strict = why === null
const program = browserHere()
/**
 * All fifty runs have a browser and a sandbox on a machine with enough memory (some 12 GB in use), else some of them.
 */
const whole = totalmem() > 20 * 2 ** 30
vi.setConfig({ testTimeout: whole ? 3_600_000 : 900_000 })
/** Number of runs with a browser at once; `LATER` runs take their turns after them. */
const BROWSERS = program === null ? 0 : whole ? RUNS : 4
const LATER = program === null || whole ? 0 : 3
/** The longest wait on a busy machine, in ms. */
const PATIENCE_MS = whole ? 1_200_000 : 300_000
const bird = (at: number) => `bird-${at}-tweet`
const song = (at: number) => `song-${at}-nobody-may-hear`
const crumb = (at: number) => `crumb-${at}-nobody-may-taste`
/**
 * Tells whether a run is in a sandbox and searches everywhere: every run on a big machine, else one in five. The
 * other runs search where the test leads them.
 */
const isKept = (at: number) => strict && (whole || at % 5 === 0)

/** Gives each browser that logs in a cookie that no agent ever sees, and records with which cookies it returned. */
const tasted = new Map<number, string>()
const known = new Set<number>()
const site = createServer(({ url = '', headers }, answer) => {
  const [, what, run] = /^\/(login|who)\?run=(\d+)$/.exec(url) ?? []
  if (what === 'login') {
    known.add(Number(run))
    answer.setHeader('set-cookie', `crumb=${crumb(Number(run))}`)
  }
  if (what === 'who') tasted.set(Number(run), headers.cookie ?? 'none')
  answer.setHeader('content-type', 'text/html')
  answer.end('<title>here</title>')
})
beforeAll(() => new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve)))
afterAll(() => void site.close())
const host = () => `127.0.0.1:${(site.address() as AddressInfo).port}`
const visit = (path: string) => ({
  run: `'${process.execPath}' -e 'fetch(process.argv[1], { method: "PUT" })' "$CARREL_BROWSER_URL/json/new?http://${host()}${path}"`,
})

const SING = [
  { run: 'for at in "$HOME" "$TMPDIR"; do echo "$BIRD $SONG" > "$at/sung"; done; echo "$SONG" >&2' },
  { write: 'sung', content: '', ask: false },
  { gate: 'go' },
]
/**
 * Prints the beginnings of values only: Carrel would mask a whole one. `peers` has the port numbers that agents have
 * outside.
 */
const LISTEN = (where: string) =>
  `{ env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; for peer in $(cat peers); do cat /proc/$peer/environ /proc/$peer/cwd/sung; done; grep -r . ${where}; } 2> /dev/null | tr '\\0' '\\n' | grep -ao '\\(bird\\|song\\|crumb\\)-[0-9]*-' | sort -u > heard`
const NEAR = '"$HOME" "$TMPDIR"'
const EVERYWHERE = `${NEAR} /tmp /run "$DATA"`

it(`P3, P8, B3, B4: of ${RUNS} runs at once none finds another one’s variables, secrets, ports, home, temporary folder or logins of its browser; neither do logs and a backup${strict ? '' : ` (none in strict: ${why})`}${program === null ? ' (no browsers: there is no Chromium)' : ''}`, async () => {
  const agents = [scriptedAgent('bird', { passEnv: [] })]
  const world = await openWorld({ agents, browserCommand: program, browsersAtOnce: Math.max(1, BROWSERS) })
  const { carrel, dataFolder } = world
  const all = await Promise.all(Array.from({ length: RUNS }, () => world.session({ agent: 'bird' })))
  const give = async (at: number, browser: 'own' | 'none') => {
    const { workspace, space } = all[at]!
    const home = at % 3 === 0 ? 'run' : 'space'
    const env = { BIRD: bird(at), DATA: dataFolder }
    const kept: Environment = isKept(at) ? { sandbox: 'strict', hosts: [host()] } : { sandbox: 'off' }
    const settings: Environment = { env, ports: ['web'], home, browser, ...kept }
    await carrel.call('environment.set', { workspace, space: space.id, settings })
  }
  for (const [at, { workspace, space }] of all.entries()) {
    await carrel.call('secrets.put', { workspace, space: space.id, name: 'SONG', value: song(at) })
    await give(at, at < BROWSERS ? 'own' : 'none')
  }
  const logsIn = (at: number) => (at < BROWSERS ? [visit(`/login?run=${at}`)] : [])
  const comesAgain = (at: number) => (at < BROWSERS ? [visit(`/who?run=${at}`), { gate: 'known' }] : [])
  const prompts = await Promise.all(
    all.map((session, at) => {
      const listen = LISTEN(isKept(at) ? EVERYWHERE : NEAR)
      const look = { run: `${listen}; echo "$CARREL_PORT_WEB" > port; echo "$BIRD $SONG"` }
      return session.prompt([...logsIn(at), ...SING, look, ...comesAgain(at)])
    }),
  )
  const sung = () => all.every((session) => existsSync(session.path('sung'))) && known.size === BROWSERS
  await eventually('all are at work at once, and logged in', sung, PATIENCE_MS)
  const pids = world.processes().join(' ')
  for (const session of all) {
    writeFileSync(session.path('peers'), pids)
    session.open('go')
  }
  await eventually('all who may be known came again', () => tasted.size === BROWSERS, PATIENCE_MS)
  for (const session of all) session.open('known')
  await eventually('all have looked', () => all.every((session) => existsSync(session.path('port'))), PATIENCE_MS)
  const ended = await Promise.all(all.map((session, at) => session.endOf(prompts[at]?.prompt ?? '')))
  expect(ended.map(({ data }) => data.outcome)).toEqual(all.map(() => 'completed'))

  const read = (at: number, name: string) => readFileSync(all[at]?.path(name) ?? '', 'utf8').trim()
  for (const [at, session] of all.entries()) {
    expect(read(at, 'heard').split('\n'), `run ${at}`).toEqual([`bird-${at}-`, `song-${at}-`])
    if (at < BROWSERS) expect(tasted.get(at), `run ${at}`).toBe(`crumb=${crumb(at)}`)
    const words = JSON.stringify(await session.log())
    expect([...new Set(words.match(/(bird|song|crumb)-\d+-\w*/g))]).toEqual([bird(at)])
    const own = join(dataFolder, 'logs', 'runs', ended[at]?.data.run ?? '')
    expect(filesWith(join(dataFolder, 'logs'), [bird(at)])).toEqual([join(own, 'run.json')])
  }
  expect(new Set(all.map((_, at) => read(at, 'port'))).size).toBe(RUNS)

  const later = all.slice(BROWSERS, BROWSERS + LATER).map((session, n) => ({ session, at: BROWSERS + n }))
  await Promise.all(
    later.map(async ({ session, at }) => {
      await give(at, 'own')
      const { prompt } = await session.prompt([visit(`/who?run=${at}`), { gate: 'known-later' }])
      await eventually(`${at} came to the site`, () => tasted.has(at), PATIENCE_MS)
      session.open('known-later')
      expect((await session.endOf(prompt)).data.outcome).toBe('completed')
      expect(tasted.get(at), `run ${at}`).toBe('none')
    }),
  )

  const secret = all.flatMap((_, at) => [song(at), crumb(at)])
  expect(filesWith(join(dataFolder, 'logs'), secret)).toEqual([])
  const backup = join(world.root, 'backup')
  await makeBackup(
    { dataFolder, databaseUrl: null, filesOnly: false, version: 'test', now: Date.now() },
    backup,
    () => undefined,
  )
  expect(filesWith(backup, secret)).toEqual([])
})
