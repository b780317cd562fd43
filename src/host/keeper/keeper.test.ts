import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { testProgram } from '../../../test/support/built.ts'
import { marked, processTable } from '../proc-table.ts'
import { probeContainment } from '../process/containment.ts'
import { attachKeeper, findKeepers, type KeeperOptions, type KeptTree, startKeeper } from './client.ts'
import { type Frame, readSpool } from './spool.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-keeper-'))
const PATH = process.env.PATH ?? '/usr/bin:/bin'
const containment = await probeContainment(PATH)
const kept: KeptTree[] = []
let count = 0
afterEach(async () => {
  await Promise.all(kept.splice(0).map((one) => one.kill()))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function options(): KeeperOptions {
  count += 1
  const folder = join(root, `data-${count}`)
  return {
    keepers: join(folder, 'keepers'),
    ledger: join(folder, 'ledger'),
    containment,
    now: Date.now,
    compiled: null,
    maxFrameBytes: 1 << 20,
  }
}

/** Answers each line with `{"said": line}`; `count N` prints N lines, `quit` ends. */
const ECHO = `
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const asked = JSON.parse(line)
    if (asked.quit) process.exit(7)
    for (let n = 0; n < (asked.count ?? 0); n += 1) console.log(JSON.stringify({ n }))
    console.log(JSON.stringify({ said: asked }))
  })`

async function start(at: KeeperOptions, limits = { graceMs: 60_000, deadlineAt: null as number | null }) {
  const tree = await startKeeper(
    {
      command: process.execPath,
      args: ['-e', ECHO],
      cwd: root,
      env: { PATH },
      label: 'echo',
      stderrPath: null,
      limits,
    },
    at,
  )
  kept.push(tree)
  return tree
}

/** Collects frames, and resolves when one of them matches. */
function listen(tree: KeptTree) {
  const frames: Frame[] = []
  let look = () => {}
  const replayed = new Promise<void>((resolve) => {
    tree.listen({
      frame: (frame) => {
        frames.push(frame)
        look()
      },
      replayed: resolve,
      tooLarge: () => undefined,
      stopped: () => undefined,
      reached: () => undefined,
    })
  })
  const until = (done: (frames: readonly Frame[]) => boolean) =>
    new Promise<void>((resolve) => {
      look = () => done(frames) && resolve()
      look()
    })
  return { frames, replayed, until }
}

const inLines = (frames: readonly Frame[]) => frames.filter(({ dir }) => dir === 'in').map(({ line }) => line)
const treesOf = async (tree: KeptTree) => {
  const note = (await findKeepers(join(root, `data-${count}`, 'keepers'))).find(({ keeper }) => keeper === tree.keeper)
  return note?.note
}

it('frames of both directions are numbered together, and on disk before they are passed on', async () => {
  const at = options()
  const tree = await start(at)
  const heard = listen(tree)
  await heard.replayed
  tree.send('{"hello":1}', 'first')
  await heard.until((frames) => frames.length === 2)
  expect(heard.frames).toEqual([
    { no: 1, dir: 'out', tag: 'first', line: '{"hello":1}' },
    { no: 2, dir: 'in', tag: '', line: '{"said":{"hello":1}}' },
  ])
  expect(readSpool(join(at.keepers, tree.keeper))?.frames).toEqual(heard.frames)
})

it('P5: a restarted server gets every frame once, in order, also those from its absence', async () => {
  const at = options()
  const first = await start(at)
  const before = listen(first)
  await before.replayed
  first.send('{"count":50000}')
  // The server leaves in the middle of the output.
  await before.until((frames) => frames.length > 100)
  first.leave()
  const second = await attachKeeper(first.keeper, at)
  if (!second) throw new Error('The keeper is not there any more.')
  kept.push(second)
  const after = listen(second)
  await after.until((frames) => frames.at(-1)?.line.startsWith('{"said"') === true)
  expect(after.frames.map(({ no }) => no)).toEqual(Array.from({ length: 50_002 }, (_, index) => index + 1))
  expect(inLines(after.frames).slice(0, -1)).toEqual(Array.from({ length: 50_000 }, (_, n) => JSON.stringify({ n })))
})

it('a checkpoint drops recorded frames and keeps later ones', async () => {
  const at = options()
  const first = await start(at)
  const before = listen(first)
  await before.replayed
  first.send('{"count":1000}')
  await before.until((frames) => frames.length === 1_002)
  first.mark({ upTo: 1_000, state: { next: 5 } })
  first.send('{"a":1}')
  await before.until((frames) => frames.length === 1_004)
  first.leave()
  const second = await attachKeeper(first.keeper, at)
  if (!second) throw new Error('The keeper is not there any more.')
  kept.push(second)
  const after = listen(second)
  await after.replayed
  expect(second.checkpoint).toEqual({ upTo: 1_000, state: { next: 5 } })
  expect(after.frames.map(({ no }) => no)).toEqual([1_001, 1_002, 1_003, 1_004])
  const spool = readFileSync(join(at.keepers, first.keeper, 'spool-2'), 'utf8')
  expect(spool.split('\n')).toHaveLength(6)
})

it('an agent that ends without a server leaves its spool and its exit, and no process', async () => {
  const at = options()
  const tree = await start(at)
  const heard = listen(tree)
  await heard.replayed
  const note = await treesOf(tree)
  tree.send('{"quit":true}')
  tree.leave()
  await gone(note?.keeper.tree ?? '', note?.agent.tree ?? '')
  const left = readSpool(join(at.keepers, tree.keeper))
  expect(left?.frames.map(({ line }) => line)).toEqual(['{"quit":true}'])
  expect(left?.exit?.code).toBe(7)
  expect(await attachKeeper(tree.keeper, at)).toBeNull()
  kept.length = 0
})

it('P1: without a server for longer than its grace, an agent is ended with its whole tree', async () => {
  const at = options()
  const tree = await start(at, { graceMs: 0, deadlineAt: null })
  listen(tree)
  const note = await treesOf(tree)
  tree.leave()
  await gone(note?.keeper.tree ?? '', note?.agent.tree ?? '')
  kept.length = 0
})

it('P1: an agent does not outlive its keeper, and the server gets its exit', async () => {
  const at = options()
  const tree = await start(at)
  const heard = listen(tree)
  await heard.replayed
  const note = await treesOf(tree)
  process.kill(note?.keeper.identity.pid ?? 0, 'SIGKILL')
  expect((await tree.exited).signal).toBe('SIGKILL')
  await gone(note?.keeper.tree ?? '', note?.agent.tree ?? '')
  kept.length = 0
})

it('P1: files of the ledger go with their processes, also where a keeper was killed', async () => {
  const at = options()
  const [calm, killed] = [await start(at), await start(at)]
  for (const tree of [calm, killed]) await listen(tree).replayed
  expect(readdirSync(at.ledger)).toHaveLength(4)
  await calm.kill()
  await calm.forget()
  expect(readdirSync(at.ledger)).toHaveLength(2)
  process.kill((await treesOf(killed))?.keeper.identity.pid ?? 0, 'SIGKILL')
  await killed.exited
  await killed.forget()
  expect(readdirSync(at.ledger)).toEqual([])
  kept.length = 0
})

it('a client without the token receives nothing', async () => {
  const at = options()
  const tree = await start(at)
  await listen(tree).replayed
  const script = `
    const socket = require('net').connect(process.argv[1])
    socket.on('data', () => process.exit(1)).on('close', () => process.exit(0))
    socket.write('s{"hello":1}\\n')`
  const code = await new Promise((resolve) =>
    spawn(process.execPath, ['-e', script, join(at.keepers, tree.keeper, 'socket')]).once('exit', resolve),
  )
  expect(code).toBe(0)
  expect(readSpool(join(at.keepers, tree.keeper))?.frames).toEqual([])
})

it('P5: a kill -9 of the server in the middle of a turn leaves the agent and its keeper at work', async () => {
  const at = options()
  const script = testProgram('keeper-server')
  const server = spawn(process.execPath, [script, JSON.stringify({ ...at, echo: ECHO, cwd: root })], {
    env: { PATH, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const keeper = await new Promise<string>((resolve) =>
    server.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
  )
  server.kill('SIGKILL')
  await new Promise((resolve) => server.once('exit', resolve))
  const tree = await attachKeeper(keeper, at)
  if (!tree) throw new Error('The keeper is not there any more.')
  kept.push(tree)
  const heard = listen(tree)
  await heard.until((frames) => frames.at(-1)?.line.startsWith('{"said"') === true)
  expect(inLines(heard.frames)).toHaveLength(20_001)
})

async function gone(...trees: string[]): Promise<void> {
  for (;;) {
    const table = await processTable()
    if (trees.every((tree) => marked(tree, table).length === 0)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
