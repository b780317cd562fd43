import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { History, PlaceSpec, ScanRequest } from '../src/host/history/history.ts'
import { openHistory } from '../src/host/history/open.ts'
import type { Effort } from './appends.ts'
import { dropFolder, start, tempFolder } from './children.ts'
import { type Result, type Target, written } from './figures.ts'
import { measureRestores } from './files-acts.ts'

const FILES_IN_A_FOLDER = 10
const WORDS = 'the agent reads a file and writes another one while its neighbour waits for the disk'.split(' ')

interface Figures {
  readonly ours: number[]
  readonly theirs: number[]
}
const figures = (): Figures => ({ ours: [], theirs: [] })

/** One tree with two histories: ours, and the way peers keep theirs. */
export interface Ground {
  readonly tree: string
  readonly paths: readonly string[]
  readonly ours: History
  readonly oursFolder: string
  readonly git: ShadowRepository
}

/** Compares the history with `git add` of the tree into a shadow repository with a warm index, and `write-tree`. */
export async function measureFiles({ rounds, trees }: Effort): Promise<Result[]> {
  const results: Result[] = []
  for (const size of trees) results.push(...(await measureTree(size, rounds)))
  return results
}

async function measureTree(size: number, rounds: number): Promise<Result[]> {
  const folder = tempFolder('files')
  try {
    const tree = join(folder, 'tree')
    const paths = makeTree(tree, size)
    const oursFolder = join(folder, 'history')
    const ours = await openHistory({ folder: oursFolder, now: Date.now })
    const git = await shadowRepository(join(folder, 'shadow'), tree)
    const ground: Ground = { tree, paths, ours, oursFolder, git }
    const results = [await firstImport(ground), ...(await captures(ground, rounds)), await atOnce(ground, rounds)]
    results.push(
      ...(await measureRestores({ ...ground, key: KEY, look: () => look('everything', []), timed, change }, rounds)),
    )
    // A thousand commands of theirs at 100,000 files take ten minutes and say the same.
    if (size <= 10_000) results.push(await bytesOf(ground, 1_000))
    await Promise.all([ours.close(), git.stop()])
    return results.map((result) => ({ ...result, name: `${written(size).replace(/\.00$/, '')} files: ${result.name}` }))
  } finally {
    dropFolder(folder)
  }
}

async function firstImport({ tree, ours, git }: Ground): Promise<Result> {
  await git.calm()
  const theirs = await timed(() => git.snapshot())
  await git.calm()
  const mine = await timed(async () => {
    await ours.open(specOf(tree))
    await ours.ready(KEY, new AbortController().signal)
  })
  const target: Target = { text: '< theirs', reached: (a, b) => b !== null && a < b }
  return { name: 'first import', unit: 'ms', ours: [mine], theirs: [theirs], target }
}

/** Captures by turns: what changed is the same for both. */
async function captures(ground: Ground, rounds: number): Promise<Result[]> {
  const { ours, git } = ground
  const [none, one, twenty] = [figures(), figures(), figures()]
  // The first walk after the watcher is armed makes hints good; their index is warmed by a second look as well.
  await armed(ours)
  await ours.capture(KEY, look('everything', []))
  await git.snapshot()
  for (let round = 0; round < rounds * 2; round += 1) {
    for (const [into, count] of [
      [one, 1],
      [twenty, 20],
    ] as const) {
      const changed = change(ground, count, round)
      await git.calm()
      into.ours.push(await timed(() => ours.capture(KEY, look('hints', changed))))
      await git.calm()
      into.theirs.push(await timed(git.snapshot))
    }
    await git.calm()
    none.ours.push(await timed(() => ours.capture(KEY, look('everything', []))))
    await git.calm()
    none.theirs.push(await timed(git.snapshot))
  }
  return [
    { name: 'capture after 1 change, by hint', unit: 'ms', ...one, target: fasterThanTheirs(ground) },
    { name: 'capture after 20 changes, by hint', unit: 'ms', ...twenty },
    {
      name: 'walk, no change',
      unit: 'ms',
      ...none,
      target: { text: '<= 2 x theirs', reached: (a, b) => b !== null && a <= 2 * b },
    },
  ]
}

const fasterThanTheirs = ({ paths }: Ground): Target | undefined =>
  paths.length < 100_000 ? undefined : { text: '<= theirs / 100', reached: (a, b) => b !== null && a <= b / 100 }

/** Twenty that ask for a capture of one folder in the same moment, each having written one file. */
async function atOnce(ground: Ground, rounds: number): Promise<Result> {
  const { ours, git } = ground
  const times = figures()
  let failed = 0
  for (let round = 0; round < rounds; round += 1) {
    const mine = change(ground, 20, 1_000 + round)
    times.ours.push(await timed(() => Promise.all(mine.map((path) => ours.capture(KEY, look('hints', [path]))))))
    const all = await Promise.allSettled(mine.map(() => git.snapshot()))
    failed += all.filter(({ status }) => status === 'rejected').length
    git.unlock()
    change(ground, 20, 2_000 + round)
    times.theirs.push(
      await timed(async () => {
        for (const _ of mine) await git.snapshot()
      }),
    )
    await ours.capture(KEY, look('everything', []))
  }
  const note = `theirs is one after the other; all at once, ${failed} of ${rounds * 20} of theirs failed on the lock, none of ours`
  return { name: '20 captures at once', unit: 'ms', ...times, note }
}

/** Measures the disk space of a thousand snapshots of one change each. */
async function bytesOf(ground: Ground, count: number): Promise<Result> {
  const { ours, git, oursFolder } = ground
  const before = { ours: sizeOf(oursFolder), theirs: git.bytes() }
  for (let round = 0; round < count; round += 1) {
    const changed = change(ground, 1, 10_000 + round)
    await ours.capture(KEY, look('hints', changed))
    await git.snapshot()
  }
  const per = (bytes: number) => bytes / 1024 / count
  const target: Target = { text: '< theirs', reached: (a, b) => b !== null && a < b }
  return {
    name: `bytes on the disk per snapshot, ${written(count).replace(/\.00$/, '')} of one change`,
    unit: 'KiB',
    ours: [per(sizeOf(oursFolder) - before.ours)],
    theirs: [per(git.bytes() - before.theirs)],
    target,
    note: 'ours with the write-ahead log as it stands',
  }
}

const KEY = 'space:bench'

function specOf(root: string): PlaceSpec {
  const labels = { workspace: 'ws', space: 'spc' as PlaceSpec['labels']['space'], project: null }
  const rules = { ignore: ['node_modules/'], useGitignore: true, maxFileBytes: 1 << 25, paths: [] }
  return { key: KEY, labels, root, rules, scope: { kind: 'tree' } }
}

const look = (at: ScanRequest['at'], paths: readonly string[]): ScanRequest => ({
  at,
  paths,
  reason: 'tool',
  writers: [],
  now: Date.now(),
})

async function armed(history: History): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await history.status(KEY)).watching) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function makeTree(root: string, size: number): string[] {
  const paths: string[] = []
  for (let at = 0; at < size; at += 1) {
    const number = Math.floor(at / FILES_IN_A_FOLDER)
    const folder = `part${number % 40}/group${number}`
    if (at % FILES_IN_A_FOLDER === 0) mkdirSync(join(root, folder), { recursive: true })
    const path = `${folder}/file${at}.txt`
    writeFileSync(join(root, path), textOf(at, 0))
    paths.push(path)
  }
  return paths
}

/** Text that is not the same twice and packs as text does: 0.5 to 8 KiB. */
function textOf(seed: number, version: number): string {
  let state = (seed * 2_654_435_761 + version * 40_503 + 1) >>> 0
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  const lines = 10 + (next() % 100)
  const line = () => Array.from({ length: 8 }, () => WORDS[next() % WORDS.length]).join(' ')
  return Array.from({ length: lines }, (_, index) => `${index} ${line()} ${next()}\n`).join('')
}

/** Writes `count` files anew, others in each round, and says which. */
function change({ tree, paths }: Ground, count: number, round: number): string[] {
  const changed = Array.from(
    { length: count },
    (_, index) => paths[(round * 977 + index * 131) % paths.length] as string,
  )
  for (const [index, path] of changed.entries()) writeFileSync(join(tree, path), textOf(index, round + 1))
  return [...new Set(changed)]
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0)
}

/** A repository beside the tree with an index of its own, as most peers keep one. */
interface ShadowRepository {
  /** Answers with the tree. */
  snapshot(): Promise<string>
  checkout(tree: string, paths: readonly string[]): Promise<void>
  /** Resolves when nothing is left to be written: what git leaves to the system is else written by our next flush. */
  calm(): Promise<void>
  bytes(): number
  unlock(): void
  stop(): Promise<void>
}

async function shadowRepository(folder: string, tree: string): Promise<ShadowRepository> {
  const child = await start(new URL('git-node.ts', import.meta.url), { folder, tree })
  return {
    snapshot: () => child.ask('snapshot'),
    checkout: (of, paths) => child.ask('checkout', { of, paths }),
    calm: () => child.ask('sync'),
    bytes: () => sizeOf(folder),
    unlock: () => rmSync(join(folder, 'index.lock'), { force: true }),
    stop: child.stop,
  }
}
