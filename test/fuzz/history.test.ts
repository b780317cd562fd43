import { spawnSync } from 'node:child_process'
import { expect, it, type TestOptions } from 'vitest'
import { runCampaign } from './campaign.ts'

const { CARREL_FUZZ_SEED, CARREL_FUZZ_RUNS, CARREL_FUZZ_STORY: replay } = process.env

/** Returns the given seed, else one of the commit: a commit has the same stories anywhere, and each commit others. */
function seedNow(): number {
  if (CARREL_FUZZ_SEED !== undefined) return Number(CARREL_FUZZ_SEED)
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' })
  return /^[0-9a-f]{40}/.test(stdout) ? Number.parseInt(stdout.slice(0, 7), 16) : Math.floor(Math.random() * 1_000_000)
}

function campaign(runs: number, options: TestOptions = {}): void {
  it(`F2, F3, F4, F5, F9: a person and two sessions at random over ${runs} runs lose nothing of each other`, {
    timeout: 7_200_000,
    ...options,
  }, async () => {
    const seed = seedNow()
    console.log(`History fuzz: CARREL_FUZZ_SEED=${seed} CARREL_FUZZ_RUNS=${runs}`)
    const report = await runCampaign({ seed, runs, replay })
    console.log(`History fuzz: ${report.runs} runs and ${report.acts} acts in ${report.stories} stories.`)
    expect(report.failures.join('\n\n'), `seed ${seed}`).toBe('')
  })
}

if (CARREL_FUZZ_RUNS !== undefined || replay !== undefined) {
  campaign(Number(CARREL_FUZZ_RUNS ?? 0))
} else {
  campaign(40)
  campaign(250, { tags: ['long'] })
}
