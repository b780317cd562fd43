import type { ApplyPlan, PlanAsk, ScanRequest } from '../src/host/history/history.ts'
import type { Result } from './figures.ts'
import type { Ground } from './files.ts'

const BY: ApplyPlan['by'] = { name: 'bench', kind: 'system', face: 'library' }

/** A tree with two histories, and how it is changed and looked at. */
interface Restoring extends Ground {
  readonly key: string
  readonly look: () => ScanRequest
  readonly timed: (work: () => Promise<unknown>) => Promise<number>
  readonly change: (ground: Ground, count: number, round: number) => readonly string[]
}

/** Bringing files back: ours looks at everything, keeps what is there, journals and syncs; theirs writes. */
export async function measureRestores(ground: Restoring, rounds: number): Promise<Result[]> {
  const results: Result[] = []
  for (const count of [1, 1_000]) {
    if (count <= ground.paths.length) results.push(await measureRestore(ground, count, rounds))
  }
  return results
}

async function measureRestore(ground: Restoring, count: number, rounds: number): Promise<Result> {
  const { ours, git, key, look, timed, change } = ground
  const times = { ours: [] as number[], theirs: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    const { n } = await ours.capture(key, look())
    const paths = change(ground, count, 30_000 + round * 2)
    const ask: PlanAsk = {
      request: { kind: 'restore', to: n, paths: [...paths] },
      paths: [],
      active: [],
      writers: [],
      now: Date.now(),
    }
    const { digest } = await ours.plan(key, ask)
    const act = `act_bench_${count}_${round}` as ApplyPlan['act']
    times.ours.push(await timed(() => ours.applyPlan(key, ask, { digest, overwrite: [], leave: [], act, by: BY })))
    const tree = await git.snapshot()
    change(ground, count, 30_001 + round * 2)
    times.theirs.push(await timed(() => git.checkout(tree, paths)))
    await ours.capture(key, look())
  }
  return {
    name: `restore of ${count} ${count === 1 ? 'file' : 'files'}`,
    unit: 'ms',
    ...times,
    note: 'ours with the safety snapshot of the whole tree, a journal and every file on the disk; theirs is `git checkout <tree> -- paths`',
  }
}
