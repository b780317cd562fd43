import { readFileSync } from 'node:fs'
import { makeTestFolder } from '../support/carrel-world.ts'
import { randomFrom } from '../support/chance.ts'
import type { Edit } from './edits.ts'
import { Ground } from './ground.ts'
import { planStory, type Step, type Story } from './plan.ts'
import { type Ended, play } from './story.ts'

/** Steps of a story: enough that acts meet the acts of others, few enough that a failure can be read. */
const LENGTH = 16
/** Stories at once: while one waits for the disk or a process, another works. */
const LANES = 4
/** Every so many stories the server is killed in one. */
const KILLS = 8
/** Failures after which a campaign ends: the next ones seldom say more. */
const MOST_FAILURES = 3
/** Tries to make a failing story shorter. */
const TRIES = 60

interface Failure {
  readonly story: Story
  readonly ended: Ended
}

export interface Campaign {
  readonly seed: number
  /** Least number of runs of agents. */
  readonly runs: number
  /** A file with a story, which is played instead: a failure prints it. */
  readonly replay?: string | undefined
}

/** Counts of a campaign. `failures` are texts, each with a story that can be replayed. */
export interface Report {
  runs: number
  acts: number
  stories: number
  readonly failures: string[]
}

/** Plays stories with their oracles on one server, until enough runs have been or some stories failed. */
export async function runCampaign({ seed, runs, replay }: Campaign): Promise<Report> {
  const ground = new Ground(makeTestFolder())
  await ground.start()
  try {
    const report: Report = { runs: 0, acts: 0, stories: 0, failures: [] }
    const failed: Failure[] = []
    const one = async (story: Story) => {
      const ended = await play(ground, story)
      report.runs += ended.runs
      report.acts += ended.acts
      report.stories += 1
      if (ended.violation) failed.push({ story, ended })
    }
    let next = 0
    const lane = async () => {
      while (report.runs < runs && failed.length < MOST_FAILURES) await one(storyOf(seed, next++))
    }
    if (replay === undefined) await Promise.all(Array.from({ length: LANES }, lane))
    else await one(parsed(readFileSync(replay, 'utf8')))
    for (const failure of failed) report.failures.push(rendered(await shortened(ground, failure)))
    return report
  } finally {
    await ground.close()
  }
}

/** Returns the story of a number in a campaign; the same seed and number give the same story. */
const storyOf = (seed: number, at: number): Story =>
  planStory(randomFrom(seed * 100_003 + at), { seed, length: LENGTH, kills: at % KILLS === KILLS - 1 })

/** Returns the shortest story that still fails in the same way. A race may not show again: then the story stays long. */
async function shortened(ground: Ground, { story, ended }: Failure): Promise<Failure> {
  let best: Failure = { story: { ...story, steps: story.steps.filter(({ id }) => id <= ended.step) }, ended }
  let tries = TRIES
  for (const part of [stepsOf, editsOf]) {
    for (let at = part(best.story).length - 1; at >= 0 && tries > 0; at--, tries--) {
      const shorter = part(best.story)[at]?.() as Story
      const again = await play(ground, shorter)
      if (again.violation?.rule === ended.violation?.rule) best = { story: shorter, ended: again }
    }
  }
  return best
}

/** Returns the stories that lack one step. */
const stepsOf = (story: Story): (() => Story)[] =>
  story.steps.map((_, at) => () => ({ ...story, steps: story.steps.toSpliced(at, 1) }))

/** Returns the stories that lack one edit. */
const editsOf = (story: Story): (() => Story)[] =>
  listsOf(story).flatMap((list, which) =>
    list.map((_, at) => () => {
      const copy = structuredClone(story)
      listsOf(copy)[which]?.splice(at, 1)
      return copy
    }),
  )

const listsOf = ({ steps }: Story): Edit[][] =>
  steps.flatMap((step) =>
    step.do !== 'work'
      ? []
      : step.moves.flatMap((move) =>
          move.do === 'edit' ? [move.edits] : move.do === 'both' ? [move.edits.a, move.edits.b] : [],
        ),
  )

function rendered({ story: { steps, ...story }, ended }: Failure): string {
  const lines = steps.map((step) => JSON.stringify(step)).join(',\n')
  const told = `${ended.violation?.message}\nat step ${ended.step} of this story, which CARREL_FUZZ_STORY=<file> replays:`
  return `${told}\n{"story": ${JSON.stringify(story)}, "steps": [\n${lines}\n]}`
}

function parsed(text: string): Story {
  const { story, steps } = JSON.parse(text) as { story: Omit<Story, 'steps'>; steps: Step[] }
  return { ...story, steps }
}
