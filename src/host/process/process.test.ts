import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createAdmission } from '../agent/admission.ts'
import { bootId, marked, processTable } from '../proc-table.ts'
import { type Containment, probeContainment, processGroup } from './containment.ts'
import { allowedEnv, machinePath } from './environment.ts'
import { killTree, sweepLedger, writeEntry } from './ledger.ts'
import { type ChildTree, spawnTree } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'carrel-process-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const PATH = process.env.PATH ?? '/usr/bin:/bin'
const best = await probeContainment(PATH)
const kinds: Containment[] = best.kind === 'process-group' ? [best] : [best, processGroup()]
const trees: ChildTree[] = []
let count = 0

afterEach(async () => {
  await Promise.all(trees.splice(0).map((tree) => tree.kill()))
})

async function start(containment: Containment, script: string, env: Record<string, string> = {}): Promise<ChildTree> {
  count += 1
  const ledger = join(folder, `ledger-${count}`)
  const all = { PATH, ...env }
  const base = { cwd: folder, env: all, containment, ledger, label: 'test', now: Date.now }
  const tree = await spawnTree({ command: '/bin/sh', args: ['-c', script], ...base })
  trees.push(tree)
  return tree
}

async function lineOf(tree: ChildTree): Promise<string> {
  return await new Promise((resolve) => tree.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())))
}

async function treeOf(tree: ChildTree): Promise<string> {
  const environ = readFileSync(`/proc/${tree.pid}/environ`, 'utf8')
  return /CARREL_TREE=([\w-]+)/.exec(environ)?.[1] ?? ''
}

/** Whether a `sleep` with this argument runs anywhere on the machine. */
async function running(argument: string): Promise<boolean> {
  return (await processTable()).some((row) => {
    try {
      return !row.zombie && readFileSync(`/proc/${row.pid}/cmdline`, 'utf8') === `sleep\0${argument}\0`
    } catch {
      return false
    }
  })
}

async function appears(path: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, () => existsSync(path) && done())
    const done = () => {
      watcher.close()
      resolve()
    }
    if (existsSync(path)) done()
  })
}

describe.each(kinds)('a tree in $kind', (containment) => {
  it('P1: is in the ledger while it lives and leaves it when it ends', async () => {
    const tree = await start(containment, 'echo up; read x; exit 3')
    await lineOf(tree)
    const ledger = join(folder, `ledger-${count}`)
    const [name = ''] = readdirSync(ledger)
    expect(JSON.parse(readFileSync(join(ledger, name), 'utf8'))).toMatchObject({
      label: 'test',
      identity: tree.identity,
    })
    tree.stdin.end('x\n')
    expect(await tree.exited).toMatchObject({ code: 3, signal: null })
    expect(readdirSync(ledger)).toEqual([])
  })

  it('P1: leaves nothing behind when the command ends before its descendants in other sessions', async () => {
    const tree = await start(containment, 'setsid sleep 71717 & setsid sh -c "sleep 71718; true" & echo up; read x')
    await lineOf(tree)
    tree.stdin.end('x\n')
    await tree.exited
    expect([await running('71717'), await running('71718')]).toEqual([false, false])
  })

  it('P2: a stop sends end of file first, and lets the command end by itself', async () => {
    const tree = await start(containment, 'echo up; cat >/dev/null; exit 5')
    await lineOf(tree)
    await tree.stop({ eofMs: 5_000, termMs: 1 })
    expect(await tree.exited).toMatchObject({ code: 5 })
  })

  it('P2: a stop sends SIGTERM to the command itself, past its wrappers', async () => {
    const tree = await start(containment, 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done')
    await lineOf(tree)
    await tree.stop({ eofMs: 20, termMs: 5_000 })
    expect(await tree.exited).toMatchObject({ code: 7 })
  })

  it('P2: a stop kills the whole tree of a command that ignores signals, and may be repeated', async () => {
    const tree = await start(
      containment,
      'trap "" TERM HUP; setsid sleep 81818 & echo up; while :; do sleep 0.05; done',
    )
    await lineOf(tree)
    const mark = await treeOf(tree)
    await Promise.all([tree.stop({ eofMs: 10, termMs: 50 }), tree.stop({ eofMs: 10, termMs: 50 })])
    await tree.kill()
    expect(marked(mark, await processTable())).toEqual([])
    expect(await running('81818')).toBe(false)
  })

  it('P2: leftovers of a cancelled run are killed; earlier processes and the command stay', async () => {
    const script = 'setsid sleep 91917 & echo old; read x; setsid sleep 91918 & echo new; read x'
    const tree = await start(containment, script)
    await lineOf(tree)
    await expect.poll(() => running('91917')).toBe(true)
    // Ages have a grain of 10 ms, so the run must begin clearly after the older command.
    const older = (await tree.descendants()).map((row) => row.pid)
    await expect
      .poll(async () => (await processTable()).find((row) => row.pid === older[0])?.ageMs)
      .toBeGreaterThan(100)
    const began = Date.now() - 50
    const fresh = lineOf(tree)
    tree.stdin.write('go\n')
    await fresh
    await expect.poll(() => running('91918')).toBe(true)
    // Both the shell's copy that becomes the command and the leftover of `setsid` are gone.
    await expect.poll(async () => (await tree.descendants()).length).toBe(older.length + 1)
    expect(await tree.killDescendantsBornAfter(began)).toHaveLength(1)
    expect([await running('91917'), await running('91918')]).toEqual([true, false])
    await tree.kill()
    expect(await running('91917')).toBe(false)
  })

  it('reports the signal that ended the command, and its last stderr output', async () => {
    const path = join(folder, `stderr-${containment.kind}`)
    const options = {
      command: '/bin/sh',
      args: ['-c', 'head -c 9000 /dev/zero | tr "\\0" a >&2; echo last >&2; kill -9 $$'],
    }
    const base = {
      cwd: folder,
      env: { PATH },
      containment,
      ledger: join(folder, 'ledger'),
      label: 'test',
      now: Date.now,
    }
    const tree = await spawnTree({ ...options, ...base, stderrPath: path })
    const exit = await tree.exited
    expect(exit.signal).toBe('SIGKILL')
    expect(exit.stderrTail).toContain('last\n')
    expect(Buffer.byteLength(exit.stderrTail)).toBeLessThanOrEqual(4096)
    await expect.poll(() => readFileSync(path).length).toBeGreaterThan(9000)
  })

  it('exits with 127 for a missing command', async () => {
    const base = {
      cwd: folder,
      env: { PATH },
      containment,
      ledger: join(folder, 'ledger'),
      label: 'test',
      now: Date.now,
    }
    const tree = await spawnTree({ command: 'no-such-command', args: [], ...base })
    expect(await tree.exited).toMatchObject({ code: 127 })
  })

  it('P1: after kill -9 of the server nothing is left, at the latest after the next sweep', async () => {
    const ready = join(folder, `ready-${containment.kind}`)
    const ledger = join(folder, `ledger-server-${containment.kind}`)
    const server = `
      import { spawnTree } from '${new URL('./process.ts', import.meta.url)}'
      const containment = ${JSON.stringify(containment)}
      const script = 'setsid sleep 61616 & echo up > ${ready}; while :; do sleep 0.05; done'
      await spawnTree({ command: '/bin/sh', args: ['-c', script], cwd: '${folder}', env: { PATH: process.env.PATH },
        containment, ledger: '${ledger}', label: 'doomed', now: Date.now })
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', server], {
      stdio: 'ignore',
      env: { PATH },
    })
    await appears(ready)
    await expect.poll(() => running('61616')).toBe(true)
    parent.kill('SIGKILL')
    await new Promise((resolve) => parent.once('exit', resolve))
    if (containment.diesWithServer) await expect.poll(() => running('61616')).toBe(false)
    expect(await sweepLedger(ledger)).toMatchObject([{ label: 'doomed' }])
    expect(await running('61616')).toBe(false)
    expect(await sweepLedger(ledger)).toEqual([])
  })
})

it('P1: a sweep never kills a process that merely has a recorded pid', async () => {
  const bystander = spawn('sleep', ['51515'], { stdio: 'ignore' })
  const ledger = join(folder, 'recycled')
  const pid = bystander.pid as number
  writeEntry(ledger, {
    tree: 'aaaa',
    label: 'other start',
    bootId: bootId(),
    identity: { pid, startTicks: 1, bootId: bootId() },
  })
  writeEntry(ledger, {
    tree: 'bbbb',
    label: 'other boot',
    bootId: 'earlier',
    identity: { pid, startTicks: 1, bootId: 'earlier' },
  })
  expect((await sweepLedger(ledger)).map((swept) => swept.killed)).toEqual([[], []])
  expect(await running('51515')).toBe(true)
  bystander.kill('SIGKILL')
})

it('P1: a child whose ledger entry was never completed is found by its mark, and one that did not pass the gate does nothing', async () => {
  const ledger = join(folder, 'intent')
  writeEntry(ledger, { tree: 'cafe-0001', label: 'half started', bootId: bootId(), identity: null })
  const child = spawn('sleep', ['41414'], { detached: true, stdio: 'ignore', env: { PATH, CARREL_TREE: 'cafe-0001' } })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  expect(await sweepLedger(ledger)).toEqual([{ tree: 'cafe-0001', label: 'half started', killed: [child.pid] }])
  await ended
  writeFileSync(join(ledger, 'cafe-0002.json'), '{"tr')
  expect(await sweepLedger(ledger)).toMatchObject([{ tree: 'cafe-0002', killed: [] }])
})

it('P3: 50 concurrent children see their own canary, and no other process sees it', async () => {
  const source = { PATH, HOME: folder, SERVER_SECRET: 'canary-server', LC_ALL: 'C', https_proxy: 'http://p' }
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      start(
        best,
        'sh -c "echo up; read x; exit 0"; exit 0',
        allowedEnv({ ...source, [`CANARY_${index}`]: `canary-${index}-` }, [`CANARY_${index}`], {}),
      ),
    ),
  )
  await Promise.all(all.map(lineOf))
  const table = await processTable()
  for (const [index, tree] of all.entries()) {
    const family = marked(await treeOf(tree), table)
    expect(family.length).toBeGreaterThanOrEqual(2)
    const seen = family.map((row) => readFileSync(`/proc/${row.pid}/environ`, 'utf8')).join('\n')
    expect(new Set(seen.match(/canary-\w+-?/g))).toEqual(new Set([`canary-${index}-`]))
    const names = seen.split(/[\0\n]/).map((entry) => entry.split('=')[0])
    expect(new Set(names.filter(Boolean))).toEqual(
      new Set(
        [
          'PATH',
          'HOME',
          'LC_ALL',
          'https_proxy',
          `CANARY_${index}`,
          'CARREL_TREE',
          'PWD',
          ...names.filter((name) => /^(OLDPWD|SHLVL|_)$/.test(name ?? '')),
        ].filter(Boolean),
      ),
    )
  }
})

it('P3: fixed values win over passed ones', () => {
  expect(allowedEnv({ HOME: '/a', TOKEN: 'x', OTHER: 'y' }, ['TOKEN'], { HOME: '/b' })).toEqual({
    HOME: '/b',
    TOKEN: 'x',
  })
})

it('the PATH of agents is without what npm puts in front', () => {
  const path =
    '/a/carrel/node_modules/.bin:/a/node_modules/.bin:/node_modules/.bin:/x/node_modules/.bin:/npm/node-gyp-bin:/usr/bin'
  expect(machinePath(path, '/a/carrel')).toBe('/x/node_modules/.bin:/usr/bin')
})

it('P4: starts beyond the limit wait in order, are counted, and can be cancelled', async () => {
  const admission = createAdmission(1)
  const never = new AbortController().signal
  const release = await admission.acquire(never)
  const order: string[] = []
  const noted = (name: string) => (free: () => void) => {
    order.push(name)
    return free
  }
  const second = admission.acquire(never).then(noted('second'))
  const off = new AbortController()
  const calledOff = admission.acquire(off.signal)
  const third = admission.acquire(never).then(noted('third'))
  expect([admission.active, admission.queued]).toEqual([1, 3])
  off.abort()
  await expect(calledOff).rejects.toMatchObject({ code: 'unavailable' })
  release()
  release()
  const freeSecond = await second
  expect([admission.active, admission.queued]).toEqual([1, 1])
  freeSecond()
  const freeThird = await third
  freeThird()
  expect(order).toEqual(['second', 'third'])
  expect([admission.active, admission.queued]).toEqual([0, 0])
})

it('the probe explains what this machine lacks', async () => {
  const bare = await probeContainment('/nowhere')
  expect(bare).toMatchObject({ kind: 'process-group', diesWithServer: false })
  expect(bare.limits.length).toBeGreaterThan(0)
  expect(await killTree('none-such', null)).toEqual([])
})
