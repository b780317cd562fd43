import { setTimeout as pause } from 'node:timers/promises'
import { CarrelError } from '../../src/model/errors.ts'
import type { Act, FileState, Plan, PlanEntry, PlanRequest } from '../../src/model/files/history.ts'
import { isNamedBy } from './coverage.ts'
import { type Stage, WORKSPACE } from './ground.ts'
import { checkLost, checkMeant, type Done } from './meant.ts'
import type { ActStep, Step } from './plan.ts'
import { apiState, changedPaths, copyOf, readTree, type State, stateOf, type Tree } from './tree.ts'
import { check, some } from './violation.ts'

type Asked = ActStep & { id: number }

/** Converts to a request of the API; null when the story has no such run, act or moment. */
function requestOf(stage: Stage, step: Asked): PlanRequest | null {
  const request = wholeRequest(stage, step)
  return request && (step.only === null ? request : { ...request, paths: [step.only] })
}

function wholeRequest({ folder, copy, sessions }: Stage, step: Asked): PlanRequest | null {
  const { oracle } = folder
  if (step.do === 'apply') return copy && { kind: 'apply', from: copy.project as never }
  if (step.do === 'restore') {
    const moment = oracle.moments.find((one) => one.step === step.to)
    return moment ? { kind: 'restore', to: moment.n } : null
  }
  const { of } = step
  if (of.kind === 'session') return { kind: 'undo', of: { kind: 'session', session: sessions.get(of.who) as never } }
  if (of.kind === 'act') {
    const act = oracle.acts.get(of.step)
    return act ? { kind: 'undo', of: { kind: 'act', act: act.id as never } } : null
  }
  const run = oracle.runs.get(`${of.step}${of.who}`)
  return run ? { kind: 'undo', of: { kind: 'run', run: run.id as never } } : null
}

const isShut = ({ conflicts }: PlanEntry): boolean =>
  conflicts.some((reason) => reason.kind === 'gap' || (reason.kind === 'file_rule' && reason.action === 'block'))

/** Says which paths are overwritten and left: every one that needs a decision gets one. */
function wordsOf(plan: Plan, leaves: boolean): { overwrite: string[]; leave: string[] } {
  const open = plan.entries.filter(({ conflicts }) => conflicts.length > 0)
  const left = open.filter((entry) => leaves || isShut(entry))
  const leave = left.map(({ path }) => path)
  return { leave, overwrite: open.map(({ path }) => path).filter((path) => !leave.includes(path)) }
}

/** Performs an act, and checks the disk against its preview, the oracle and the promises. Returns false for none. */
export async function perform(stage: Stage, step: Asked): Promise<boolean> {
  const { folder, ground } = stage
  const request = requestOf(stage, step)
  if (!request) return false
  const asked = { workspace: WORKSPACE, project: folder.project, request }
  const before = copyOf(folder.oracle.tree)
  const plan = await ground.carrel.call('plans.make', asked)
  check(changedPaths(readTree(folder.root), before).length === 0, 'preview', () => 'a plan wrote')
  const words = wordsOf(plan, step.leaves)
  const applying = ground.carrel.call('plans.apply', { ...asked, digest: plan.digest, ...words })
  if (step.killAfterMs !== null) {
    applying.catch(() => undefined)
    await pause(step.killAfterMs)
    await ground.kill()
    return await afterKill(stage, step, { request, plan, words, before })
  }
  let act: Act
  try {
    act = await applying
  } catch (thrown) {
    // Some paths can only be written together with one that is left.
    if (!(thrown instanceof CarrelError) || thrown.code !== 'conflict') throw thrown
    check(changedPaths(readTree(folder.root), before).length === 0, 'preview', () => 'a refused act wrote')
    return false
  }
  const after = readTree(folder.root)
  checkPreview(before, after, plan, act.left)
  finish(stage, step, { request, plan, act, words, before, after })
  return true
}

/** F4: a killed act is wholly done or not at all. */
async function afterKill(
  stage: Stage,
  step: Asked,
  asked: Pick<Done, 'request' | 'plan' | 'words' | 'before'>,
): Promise<boolean> {
  const { folder, ground } = stage
  await ground.carrel.call('history.capture', { workspace: WORKSPACE, project: folder.project })
  const after = readTree(folder.root)
  const { acts } = await ground.carrel.call('acts.list', { workspace: WORKSPACE, project: folder.project, limit: 1 })
  const known = [...folder.oracle.acts.values()].some(({ id }) => id === acts[0]?.id)
  const act = known ? undefined : acts[0]
  if (act === undefined) {
    const wrong = changedPaths(after, asked.before)
    check(wrong.length === 0, 'kill', () => `a killed act is not in the list, and changed ${some(wrong)}`)
    return false
  }
  checkPreview(asked.before, after, asked.plan, act.left)
  finish(stage, step, { ...asked, act, after })
  return true
}

function finish(stage: Stage, step: Asked, done: Done): void {
  const { oracle } = stage.folder
  checkLost(stage, step, done)
  checkMeant(stage, step, done)
  oracle.acted(step.id, done.act.id, step.do, done.after)
  oracle.adopt(done.after)
}

/** F3: the disk is exactly as previewed. */
function checkPreview(before: Tree, after: Tree, plan: Plan, left: readonly string[]): void {
  const entries = new Map(plan.entries.map((entry) => [entry.path, entry]))
  const gaps = plan.gaps.map((gap) => gap.path)
  for (const path of new Set([...before.keys(), ...after.keys(), ...entries.keys()])) {
    const entry = entries.get(path)
    const isLeft = !entry || left.includes(path)
    const due: State = isLeft ? stateOf(before, path) : apiState(entry.next as FileState | null)
    check(
      stateOf(after, path) === due,
      'preview',
      () =>
        `${path} is ${stateOf(after, path)} after the act instead of ${due} (${entry ? (isLeft ? 'left' : entry.how) : 'not in the plan'})`,
    )
    if (entry && !entry.now?.uncovered && !isNamedBy(gaps, path))
      check(
        apiState(entry.now) === stateOf(before, path),
        'preview',
        () => `the plan has ${path} as ${apiState(entry.now)} now, and it is ${stateOf(before, path)}`,
      )
  }
}

export const isAct = (step: Step): step is Asked => step.do === 'undo' || step.do === 'restore' || step.do === 'apply'
