import { CarrelError } from '../../src/model/errors.ts'
import { isAct, perform } from './act.ts'
import { apiRules } from './coverage.ts'
import { closeStage, type Ground, openStage, type Stage, WORKSPACE } from './ground.ts'
import type { Move, Step, Story } from './plan.ts'
import { checkContent, checkSnapshot, settle } from './settle.ts'
import { Violation } from './violation.ts'
import { Work } from './work.ts'

/** Result of a story: the first violation with the step at which it showed, or none. */
export interface Ended {
  readonly violation: Violation | null
  readonly step: number
  /** Runs and acts that were performed. */
  readonly runs: number
  readonly acts: number
}

const isKill = (step: Step): boolean =>
  (step.do === 'work' && step.moves.some(({ do: what }: Move) => what === 'kill')) ||
  (isAct(step) && step.killAfterMs !== null)

/** Plays a story on a server. Never throws for a violation. */
export async function play(ground: Ground, story: Story): Promise<Ended> {
  let at = -1
  let stage: Stage | null = null
  const ended = (violation: Violation | null): Ended => {
    const oracles = [stage?.folder, stage?.copy].flatMap((place) => place?.oracle ?? [])
    const count = (of: 'runs' | 'acts') => oracles.reduce((sum, oracle) => sum + oracle[of].size, 0)
    return { violation, step: at, runs: count('runs'), acts: count('acts') }
  }
  try {
    const opened = await ground.beside(() => openStage(ground, story))
    stage = opened
    await ground.beside(() => begin(opened))
    for (const step of story.steps) {
      at = step.id
      const job = () => playStep(opened, step)
      await (isKill(step) ? ground.alone(job) : ground.beside(job))
    }
    await ground.beside(() => finish(opened))
    return ended(null)
  } catch (thrown) {
    return ended(violationOf(thrown))
  } finally {
    // The agents of a story end with it, so that a campaign has few processes.
    if (stage) await closeStage(stage).catch(() => undefined)
  }
}

function violationOf(thrown: unknown): Violation {
  if (thrown instanceof Violation) return thrown
  const error = thrown as Error
  const detail = thrown instanceof CarrelError ? `${thrown.code} ${JSON.stringify(thrown.data) ?? ''}` : error.stack
  return new Violation('error', `${error.message} ${detail}`)
}

async function begin(stage: Stage): Promise<void> {
  await settle(stage, stage.folder, -1)
  if (stage.copy) await settle(stage, stage.copy, -1)
}

async function playStep(stage: Stage, step: Step): Promise<void> {
  const { folder, copy, ground } = stage
  if (step.do === 'rules') {
    const { id, do: _, ...rules } = step
    await ground.carrel.call('fileRules.set', {
      workspace: WORKSPACE,
      id: folder.space as never,
      rules: apiRules(rules),
    })
    for (const place of copy ? [folder, copy] : [folder]) {
      place.oracle.ruled(rules)
      await settle(stage, place, id)
    }
    return
  }
  if (isAct(step)) {
    await perform(stage, step)
    await settle(stage, folder, step.id)
    return
  }
  const place = step.copy ? copy : folder
  if (!place) return
  await new Work(stage, place, step).perform()
  await settle(stage, place, step.id)
}

/** Looks once more at every snapshot: nothing that came later may have changed one, and its content is there. */
async function finish(stage: Stage): Promise<void> {
  for (const place of stage.copy ? [stage.folder, stage.copy] : [stage.folder])
    for (const moment of place.oracle.moments) {
      await checkSnapshot(stage.ground.carrel, place, moment)
      await checkContent(stage.ground.carrel, place, moment)
    }
}
