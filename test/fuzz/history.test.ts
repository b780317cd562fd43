import { expect, it } from 'vitest'
import { runCampaign } from './campaign.ts'

const { CARREL_FUZZ_SEED, CARREL_FUZZ_RUNS, CARREL_FUZZ_STORY: replay } = process.env
const seed = Number(CARREL_FUZZ_SEED ?? Math.floor(Math.random() * 1_000_000))
const runs = Number(CARREL_FUZZ_RUNS ?? 1_000)

it(`F2, F3, F4, F5, F9: a person and two sessions at random over ${runs} runs lose nothing of each other`, {
  timeout: 7_200_000,
}, async () => {
  console.log(`History fuzz: CARREL_FUZZ_SEED=${seed} CARREL_FUZZ_RUNS=${runs}`)
  const report = await runCampaign({ seed, runs, replay })
  console.log(`History fuzz: ${report.runs} runs and ${report.acts} acts in ${report.stories} stories.`)
  expect(report.failures.join('\n\n'), `seed ${seed}`).toBe('')
})
