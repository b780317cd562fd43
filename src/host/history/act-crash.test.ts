import { spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openActWorld, undoOf, undoOfAct } from '../../../test/support/act-world.ts'

const CHILD = join(import.meta.dirname, '../../../test/support/act-child.ts')
/** Half a second for each of many processes, on a machine that does other things too. */
const timeout = 300_000

let top = ''
const was: Record<'before' | 'after', Record<string, string>> = { before: {}, after: {} }

/** One of each: content, a deletion, a creation, links, a mode, folders that come and go, and kinds that swap. */
beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'carrel-crash-'))
  const files = { a: '1', gone: 'g', 'gone-too/x': 'x', swap: 'a file', 'unswap/y': 'y', mode: 'm', other: 'o' }
  const world = await openActWorld(files, { top: join(top, 'first') })
  const at = (path: string) => join(world.root, path)
  symlinkSync('a', at('link'))
  chmodSync(at('gone-too'), 0o750)
  await world.look()
  was.after = world.seen()
  world.write('a', 'by A')
  for (const path of ['gone', 'gone-too', 'swap', 'unswap', 'link']) rmSync(at(path), { recursive: true })
  world.write('swap/in', 'by A')
  world.write('unswap', 'by A')
  world.write('new/n', 'by A')
  symlinkSync('b', at('link'))
  symlinkSync('b', at('new-link'))
  chmodSync(at('mode'), 0o600)
  await world.look(['a'])
  was.before = world.seen()
  await world.keeper.close()
}, timeout)
afterAll(() => rmSync(top, { recursive: true, force: true }))

/** A copy of the prepared place and history. */
function copied(name: string): string {
  const at = join(top, name)
  cpSync(join(top, 'first'), at, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  chmodSync(join(at, 'one/mode'), 0o600)
  return at
}

/** Runs the child until it names the step it stopped at, and kills it there. */
async function killAt(at: string, step: number | string, mode = ''): Promise<string> {
  const args = [CHILD, at, String(step), mode]
  const env = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const piece of child.stdout) {
    said += piece
    if (said.includes('\n')) child.kill('SIGKILL')
  }
  return said.trim()
}

it('F4: killed at any step, a place is fully before or fully after at the next opening', { timeout }, async () => {
  const steps: string[] = []
  for (let step = 1; steps.at(-1) !== 'end'; step++) {
    const at = copied(`at-${step}`)
    const killed = await killAt(at, step)
    steps.push(killed)
    await using world = await openActWorld({}, { top: at })
    const seen = world.seen()
    const which = JSON.stringify(seen) === JSON.stringify(was.after) ? 'after' : 'before'
    expect(seen, `killed before ${killed}`).toEqual(was[which])
    const acts = await world.history.acts(world.key, { before: null, limit: 10 })
    expect(acts, `killed before ${killed}`).toHaveLength(which === 'after' ? 1 : 0)
    // Before everything is prepared nothing is done; after that it is finished.
    expect(which, `killed before ${killed}`).toBe(/^(begin|stage .*|staged)$/.test(killed) ? 'before' : 'after')
  }
  expect(steps.length).toBeGreaterThan(40)
})

it('F4: killed while it is taken back, a place is fully before at the next opening', { timeout }, async () => {
  const steps: string[] = []
  for (let step = 1; steps.at(-1) !== 'end'; step++) {
    const at = copied(`back-${step}`)
    const killed = await killAt(at, step, 'fails')
    steps.push(killed)
    await using world = await openActWorld({}, { top: at })
    // A crash just before the journal says so finds an act that can be finished.
    expect(world.seen(), `killed before ${killed}`).toEqual(killed === 'back' ? was.after : was.before)
  }
  expect(steps.length).toBeGreaterThan(10)
})

it('F4: killed half way, and somebody wrote since: all else is taken back, theirs stays', { timeout }, async () => {
  const at = copied('moved')
  expect(await killAt(at, 'put a')).toBe('put a')
  writeFileSync(join(at, 'one/a'), 'by me')
  await using world = await openActWorld({}, { top: at })
  expect(world.seen()).toEqual({ ...was.before, a: 'file 644 by me' })
})

it('F4: an act that was finished after a crash is undone like others, and what came since is not its', {
  timeout,
}, async () => {
  const at = copied('undone')
  expect(await killAt(at, 'sync')).toBe('sync')
  writeFileSync(join(at, 'one/a'), 'by me')
  await using world = await openActWorld({}, { top: at })
  const [act] = await world.history.acts(world.key, { before: null, limit: 1 })
  expect(act).toMatchObject({ request: undoOf('a'), left: [] })
  expect(world.keeper.placeOf(world.key).book.lastChange('a')?.author).toEqual({ kind: 'outside' })
  await world.act(undoOfAct(act!))
  expect(world.seen()).toEqual({ ...was.before, a: 'file 644 by me' })
})
