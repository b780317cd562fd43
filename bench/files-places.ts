import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { treeOf } from '../src/host/places/freezer.ts'
import type { MakePlace, PlaceRecord, Places } from '../src/host/places/place.ts'
import { openPlaces } from '../src/host/places/places.ts'
import { changedIn } from '../src/host/places/upper.ts'
import { mountView, PARTS } from '../src/host/places/view.ts'
import { probeContainment } from '../src/host/process/containment.ts'
import type { Effort } from './appends.ts'
import { dropFolder, tempFolder } from './children.ts'
import { below, type Result } from './figures.ts'

const PATH = process.env.PATH ?? ''
/** How many files of a view are written before its changes are listed; each in a folder of its own. */
const CHANGES = [20, 200] as const

interface Figures {
  readonly worktree: number[]
  readonly view: number[]
  readonly whole: number[]
  /** In the order of `CHANGES`. */
  readonly changes: readonly number[][]
}

/** A new place on a large folder, beside `git worktree add` as everybody runs it, and what was changed in a view. */
export async function measurePlaces({ rounds }: Effort, quick: boolean): Promise<Result[]> {
  const folder = tempFolder('places')
  const files = quick ? 10_000 : 100_000
  const figures: Figures = { worktree: [], view: [], whole: [], changes: CHANGES.map(() => []) }
  try {
    const source = join(folder, 'source')
    makeRepository(source, files)
    const data = join(folder, 'data')
    const ledger = join(data, 'processes')
    const containment = await probeContainment(PATH)
    const places = openPlaces({ dataFolder: data, path: PATH, env: { PATH }, containment, ledger, now: Date.now })
    const first = await timed(() => places.make(ask(source, data, 'first')))
    for (let round = 0; round < rounds; round += 1) await measureRound(places, { source, data, round, first }, figures)
    await places.remove(first.done)
    await places.close()
    return results(files, figures, first.ms)
  } finally {
    dropFolder(folder)
  }
}

interface Round {
  readonly source: string
  readonly data: string
  readonly round: number
  readonly first: { readonly done: PlaceRecord }
}

async function measureRound(places: Places, { source, data, round, first }: Round, figures: Figures): Promise<void> {
  const tree = join(data, `tree-${round}`)
  const git = (...args: string[]) => execFileSync('git', args, { cwd: source, stdio: 'ignore' })
  figures.worktree.push((await timed(async () => git('worktree', 'add', '-q', '--detach', tree))).ms)
  git('worktree', 'remove', '--force', tree)
  const { done, ms } = await timed(() => places.make(ask(source, data, `place-${round}`)))
  figures.whole.push(ms)
  figures.view.push(await viewAlone(join(data, 'places', `alone-${round}`), first.done))
  const { root, layer } = await places.open(done)
  if (!layer) throw new Error('This machine has no overlayfs; there is nothing to compare.')
  for (const [step, count] of CHANGES.entries()) {
    for (let index = 0; index < count; index += 1) writeFileSync(join(root, pathOf(index * 37)), `changed ${index}`)
    const changes = await timed(() => changedIn({ ...layer, root }))
    if (changes.done.length !== count) throw new Error(`${changes.done.length} changes were found, not ${count}.`)
    figures.changes[step]?.push(changes.ms)
  }
  await places.remove(done)
}

/** A view over a base that is known to be the folder's state: what each further one of several made at once costs. */
async function viewAlone(folder: string, { overlay }: PlaceRecord): Promise<number> {
  const { ms, done } = await timed(async () => {
    for (const part of Object.values(PARTS)) mkdirSync(join(folder, part), { recursive: true })
    const spec = {
      folder,
      name: 'view',
      lower: treeOf(overlay?.base ?? ''),
      rights: overlay?.rights ?? 'own',
      path: PATH,
    }
    const view = await mountView(spec)
    statSync(join(view.root, pathOf(0)))
    return view
  })
  await done.close()
  rmSync(folder, { recursive: true })
  return ms
}

function results(files: number, figures: Figures, firstMs: number): Result[] {
  const size = `${files.toLocaleString('en-US')} files`
  const faster = (factor: number) => ({
    text: `theirs >= ${factor} x`,
    reached: (ours: number, theirs: number | null) => theirs !== null && theirs >= factor * ours,
  })
  const beside = { unit: 'ms', theirs: figures.worktree }
  const [first, later] = ['the first place: everything is copied', 'later places']
  return [
    {
      name: `a view over the frozen ${size}`,
      ours: figures.view,
      ...beside,
      target: faster(100),
      note: 'beside it: git worktree add',
    },
    {
      name: `a whole overlay of ${size}, ${later}`,
      ours: figures.whole,
      ...beside,
      note: 'with the look at every file that proves the base is the present state',
    },
    { name: `a whole overlay of ${size}, ${first}`, unit: 'ms', ours: [firstMs], theirs: [] },
    ...CHANGES.map((count, step) => ({
      name: `${count} changes of an overlay, listed`,
      unit: 'ms',
      ours: figures.changes[step] ?? [],
      theirs: [],
      ...(step === 0 && { target: below(20, 'ms') }),
    })),
  ]
}

function ask(source: string, data: string, id: string): MakePlace {
  const rest = { branch: null, start: null, include: [], setup: null, driver: 'overlayfs', onProgress: () => undefined }
  return { kind: 'overlay', id, source, parent: join(data, 'places'), signal: new AbortController().signal, ...rest }
}

const pathOf = (index: number) => `d${Math.floor(index / 1_000)}/e${Math.floor(index / 10) % 100}/f${index % 10}.txt`

function makeRepository(folder: string, files: number): void {
  for (let index = 0; index < files; index += 1) {
    const path = join(folder, pathOf(index))
    if (index % 10 === 0) mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, `file ${index}\n`.repeat(20))
  }
  const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost']
  for (const args of [
    ['init', '-q'],
    ['add', '.'],
    [...who, 'commit', '-q', '-m', 'all'],
  ])
    execFileSync('git', args, { cwd: folder, stdio: 'ignore' })
}

async function timed<T>(work: () => Promise<T>): Promise<{ done: T; ms: number }> {
  // Files that are not older than the grain of the clock count as just changing.
  await sleep(200)
  const began = performance.now()
  const done = await work()
  return { done, ms: performance.now() - began }
}
