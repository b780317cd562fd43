import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { digest, fresh, top as placesTop, plainFolder, world } from '../../../test/support/places-setup.ts'
import { connect, type Json, listen, session, steps } from '../../../test/support/scripted-setup.ts'
import type { AgentPlace } from '../agent/agent.ts'
import { marked, processTable } from '../proc-table.ts'
import { probeContainment, processGroup } from '../process/containment.ts'
import { sweepLedger } from '../process/ledger.ts'
import { spawnTree } from '../process/process.ts'

const w = world()
const overlayfs = (await w.places.drivers()).find(({ name }) => name === 'overlayfs')
afterAll(() => w.places.close())

async function viewed(files?: Record<string, string>) {
  const source = plainFolder(files)
  const record = await w.places.make(w.ask({ kind: 'overlay', source, driver: 'overlayfs' }))
  const place = await w.places.open(record)
  const { path, root, enter } = place
  const agent: AgentPlace = { cwd: path, roots: [path], mcpServers: [], view: { path, root, enter } }
  return { source, record, place, agent }
}

describe.runIf(overlayfs?.usable)('an agent in a view', () => {
  it('is started inside, and sees, writes and removes there only', async () => {
    const { source, record, place, agent } = await viewed()
    const untouched = digest(source)
    const { one, heard } = await session({ launch: { enter: place.enter } }, listen(), agent)
    await one.prompt(steps({ run: 'pwd; cat sub/b.txt; rm a.txt; echo shell > by-shell' }))
    await one.prompt(steps({ write: 'by-agent', content: 'agent', ask: false }))
    expect(JSON.stringify(heard.updates)).toContain(place.path)
    expect((await w.places.removalRisks(record)).changed).toEqual(['a.txt', 'by-agent', 'by-shell'])
    expect(digest(source)).toBe(untouched)
  })

  it('files and terminals of the client are those of the view, under the names that the agent knows', async () => {
    const { source, record, place, agent } = await viewed()
    const untouched = digest(source)
    const { one, heard } = await session({ launch: { enter: place.enter } }, listen(), agent)
    await one.prompt(
      steps(
        { write: 'sub/b.txt', content: 'new', via: 'client', ask: false },
        { write: 'fresh/x.txt', content: 'x', via: 'client', ask: false },
        { read: 'sub/b.txt', via: 'client' },
        { run: 'pwd; ls fresh; echo t > by-terminal', via: 'client' },
        { request: { method: 'terminal/create', params: { command: 'pwd > here', cwd: join(place.path, 'sub') } } },
        { request: { method: 'terminal/wait_for_exit', params: { terminalId: 'terminal-2' } } },
      ),
    )
    expect(heard.wrote).toEqual([join(place.path, 'sub/b.txt'), join(place.path, 'fresh/x.txt')])
    expect(readFileSync(join(place.root, 'sub/here'), 'utf8')).toBe(`${place.path}/sub\n`)
    expect(JSON.stringify(heard.updates)).toContain(`${place.path}\\nx.txt`)
    const changed = ['by-terminal', 'fresh', 'fresh/x.txt', 'sub/b.txt', 'sub/here']
    expect((await w.places.removalRisks(record)).changed).toEqual(changed)
    expect(digest(source)).toBe(untouched)
  })

  it('every way out of the view is refused, and links inside lead where the agent sees them lead', async () => {
    const { source, place, agent } = await viewed({ 'in/a.txt': 'a' })
    const outside = join(placesTop, fresh('outside'))
    writeFileSync(outside, 'secret')
    const link = (target: string, name: string) => symlinkSync(target, join(place.root, name))
    link(join(place.path, 'in'), 'absolute')
    link('in/../in', 'dotted')
    link(outside, 'out')
    link('../../../../..', 'up')
    link(join(source, 'in'), 'to-source')
    link(join(place.path, 'not-yet'), 'dangling')
    link('loop', 'loop')
    const { one, heard } = await session({ launch: { enter: place.enter } }, listen(), agent)
    const said = async (method: string, params: Json) => {
      const before = heard.text().length
      await one.prompt(steps({ request: { method, params } }))
      return heard.text().slice(before)
    }
    for (const name of ['in', 'absolute', 'dotted'])
      expect(await said('fs/read_text_file', { path: join(place.path, name, 'a.txt') })).toContain('"a"')
    const ways = [
      'out',
      `up${outside}`,
      'up',
      'to-source/a.txt',
      'dangling',
      'loop',
      'in/a.txt/b',
      `in/../../${outside}`,
    ]
    const beside = [outside, join(source, 'in/a.txt')]
    // Without a sandbox the agent reads these by itself.
    for (const way of beside) expect(await said('fs/read_text_file', { path: way }), way).toContain('"content"')
    for (const way of [...beside, place.root, ...ways.map((one) => `${place.path}/${one}`)]) {
      if (!beside.includes(way)) expect(await said('fs/read_text_file', { path: way }), way).toContain('-32602')
      expect(await said('fs/write_text_file', { path: way, content: 'x' }), way).toContain('-32602')
      expect(await said('terminal/create', { command: 'ls', cwd: way }), way).toContain('-32602')
    }
    expect(readFileSync(outside, 'utf8')).toBe('secret')
    expect(existsSync(join(place.root, 'not-yet'))).toBe(false)
    const inLink = join(place.path, 'absolute/new/b.txt')
    await one.prompt(steps({ request: { method: 'fs/write_text_file', params: { path: inLink, content: 'b' } } }))
    expect(heard.wrote).toEqual([join(place.path, 'in/new/b.txt')])
    expect(statSync(join(place.root, 'in/new/b.txt')).size).toBe(1)
  })

  it('F8: without the view the agent does not start', async () => {
    const { record, place } = await viewed()
    await w.places.remove(record)
    await expect(connect({ launch: { enter: place.enter } })).rejects.toMatchObject({ code: 'unavailable' })
  })

  const kinds = async () => [await probeContainment(process.env.PATH ?? ''), processGroup()]
  it('P1, P2: its whole tree ends, in every containment: SIGTERM reaches it, a kill leaves nothing, a sweep finds it', async () => {
    const { place } = await viewed()
    for (const containment of await kinds()) {
      const parts = { cwd: place.path, enter: place.enter, env: { PATH: process.env.PATH ?? '' }, containment }
      const start = async (script: string) => {
        const how = { ledger: w.ledger, label: 'agent', now: Date.now }
        const tree = await spawnTree({ command: '/bin/sh', args: ['-c', script], ...parts, ...how })
        await new Promise((resolve) => tree.stdout.once('data', resolve))
        const mark = /CARREL_TREE=([\w-]+)/.exec(readFileSync(`/proc/${tree.pid}/environ`, 'utf8'))?.[1] ?? ''
        return { tree, left: async () => marked(mark, await processTable()).filter((row) => !row.zombie).length }
      }
      const kind = await start('trap "exit 7" TERM; echo up; while :; do sleep 0.05; done')
      await kind.tree.stop({ eofMs: 20, termMs: 10_000 })
      expect(await kind.tree.exited).toMatchObject({ code: 7 })
      const deaf = await start('trap "" TERM; setsid sleep 1000 & echo up; while :; do sleep 0.05; done')
      expect((await deaf.tree.descendants()).length).toBeGreaterThan(0)
      await deaf.tree.kill()
      expect(await deaf.left()).toBe(0)
      const orphan = await start('setsid sleep 1000 & echo up; wait')
      expect(await orphan.left()).toBeGreaterThan(0)
      await sweepLedger(w.ledger)
      await orphan.tree.exited
      expect(await orphan.left()).toBe(0)
    }
  })
})

it('the driver list says how overlayfs works here, or why it is unavailable', () => {
  expect(overlayfs?.detail).toMatch(overlayfs?.usable ? /\w/ : /Linux|failed/)
})
