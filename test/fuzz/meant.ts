import type { Act, Plan, PlanRequest } from '../../src/model/files/history.ts'
import { isNamedBy } from './coverage.ts'
import type { Place, Stage } from './ground.ts'
import type { By, Event, Oracle } from './oracle.ts'
import type { ActStep } from './plan.ts'
import { below, changedPaths, type State, stateOf, type Tree, textOf, tokensIn, tokensOf } from './tree.ts'
import { check, some } from './violation.ts'

/** An act that was applied, with the working copy before and after it. */
export interface Done {
  readonly request: PlanRequest
  readonly plan: Plan
  readonly act: Act
  readonly words: { readonly overwrite: readonly string[]; readonly leave: readonly string[] }
  readonly before: Tree
  readonly after: Tree
}

type Asked = ActStep & { id: number }

/** F2: nobody's lines go without a word, but those of the author whose work is undone. */
export function checkLost(stage: Stage, step: Asked, { before, after, words, plan }: Done): void {
  const { oracle } = stage.folder
  const stays = tokensOf(after)
  const mayGo = losersOf(stage, step)
  const isGone = step.do === 'apply' && stage.copy ? goneIn(stage.copy.oracle) : () => false
  const decided = decidedIn(before, plan, words)
  for (const [path, node] of before) {
    if (node.kind !== 'file' || words.overwrite.includes(path)) continue
    const brought = broughtTo(oracle, step, path)
    const lost = tokensIn(node.text).filter(
      (token) =>
        !stays.has(token) &&
        !decided.has(token) &&
        !brought.has(token) &&
        !isGone(token) &&
        ![...oracle.claimsOf(token)].some(mayGo),
    )
    const whose = (token: string) => `${token} of ${[...oracle.claimsOf(token)].join(', ')}`
    check(lost.length === 0, 'lost', () => `${step.do} took ${some(lost.map(whose))} from ${path} without a word`)
  }
}

/** Lines that an act brought to a path: its undo takes them from there, wherever else they went meanwhile. */
function broughtTo(oracle: Oracle, step: Asked, path: string): Set<string> {
  const act = step.do === 'undo' && step.of.kind === 'act' ? oracle.acts.get(step.of.step) : undefined
  const before = new Set(tokensIn(act?.before.get(path)?.text ?? ''))
  return new Set(tokensIn(act?.after.get(path)?.text ?? '').filter((token) => !before.has(token)))
}

/** Lines about which there was a word: those of overwritten paths, and those that the act would give to paths that are left. */
function decidedIn(before: Tree, { entries }: Plan, { overwrite, leave }: Done['words']): Set<string> {
  const overwritten = overwrite.flatMap((path) => tokensIn(before.get(path)?.text ?? ''))
  const left = entries.filter(({ path }) => leave.includes(path))
  return new Set([...overwritten, ...left.flatMap(({ next }) => (next ? tokensIn(textOf(next)) : []))])
}

/** Returns a test for lines that a working copy had and has no more where it is covered: an apply takes them away. */
function goneIn(oracle: Oracle): (token: string) => boolean {
  const { tree, moments } = oracle
  const { covered } = oracle.coverage()
  const now = tokensOf(new Map([...tree].filter(([path]) => covered.has(path))))
  const ever = new Set(moments.flatMap((moment) => [...tokensOf(moment.tree)]))
  return (token) => ever.has(token) && !now.has(token)
}

/** Returns a test whose work this act may take without a word. */
function losersOf({ folder: { oracle } }: Stage, step: Asked): (by: By) => boolean {
  if (step.do === 'apply') return (by) => by.startsWith('act')
  if (step.do === 'undo') {
    const { of } = step
    if (of.kind === 'act') return (by) => by === `act${of.step}`
    if (of.kind === 'run') return (by) => by === `${of.step}${of.who}`
    return (by) => oracle.runs.get(by)?.agent === of.who
  }
  const moment = oracle.moments.find((one) => one.step === step.to)
  // Work that is undone already, or that the history never had, is nobody's.
  const covered = new Set([...(moment?.coverage.covered ?? []), ...oracle.coverage().covered])
  const open = new Set(changedPaths(moment?.tree ?? new Map(), oracle.tree).filter((path) => covered.has(path)))
  const since = oracle.events.filter(
    ({ order, path, isCovered }) => isCovered && order > (moment?.order ?? 0) && open.has(path),
  )
  const agents = new Set(since.flatMap(({ by }) => oracle.runs.get(by)?.agent ?? []))
  return (by) =>
    (by.startsWith('act') && oracle.acts.get(Number(by.slice(3)))?.kind !== 'apply') ||
    (by === 'person' && agents.size === 0) ||
    (agents.size === 1 && agents.has(oracle.runs.get(by)?.agent ?? ('' as never)))
}

/** Each act does what it is for. */
export function checkMeant(stage: Stage, step: Asked, done: Done): void {
  if (step.do === 'restore') checkRestore(stage.folder, step, done)
  else if (step.do === 'apply') checkApply(stage, done)
  else if (step.of.kind === 'act') checkRedo(stage.folder, step.of.step, done)
  else if (step.of.kind === 'run') checkUndo(stage.folder, `${step.of.step}${step.of.who}`, done)
}

/** Whether the plan speaks of a path: as left, as a gap, or as one that needed a decision. */
function isNamed({ plan, act }: Done, path: string): boolean {
  const asked = plan.entries.filter(({ conflicts }) => conflicts.length > 0).map((entry) => entry.path)
  return isNamedBy([...act.left, ...plan.gaps.map((gap) => gap.path), ...asked], path)
}

/** A folder stays while something is in it, and is made where something needs it. */
function isFolderMatter({ after, before }: Done, path: string, due: State): boolean {
  const isFolder = (tree: Tree) => tree.get(path)?.kind === 'folder'
  if (due === null) return isFolder(after) && below(after, path).length > 0
  return due.startsWith('folder') && isFolder(after) && !isFolder(before)
}

function checkState(rule: string, done: Done, path: string, due: State): void {
  const chosen = done.request.paths
  if (chosen && !isNamedBy(chosen, path)) return
  const is = stateOf(done.after, path)
  if (is === due || isNamed(done, path) || isFolderMatter(done, path, due)) return
  check(false, rule, () => `${path} is ${is} instead of ${due}, and the plan is silent about it`)
}

/** F2: where the author of the undone work was the last, the state from before it returns. */
function checkUndo({ oracle }: Place, by: By, done: Done): void {
  const run = oracle.runs.get(by)
  const mine = new Set(oracle.events.filter((event) => event.by === by).map(({ path }) => path))
  for (const path of mine) {
    const events = oracle.eventsAt(path)
    const first = events.findIndex((event) => event.by === by)
    const since = events.slice(first)
    if (since.some((event) => event.by !== by)) continue
    // A person's edit while the run was at work counts as the run's, or was never seen.
    if (events[first - 1]?.claims.has(by)) continue
    // The history never saw work at a path that was not covered when it was done.
    if (!since.some(({ isCovered }) => isCovered)) continue
    const { before, order } = since[0] as Event
    if (before !== null && run && !run.coverage.covered.has(path)) continue
    if (!isWatched(oracle, path, run?.order ?? order)) {
      // The path was not covered for a while: what was there before returns, or the plan names it.
      if (before !== null) checkState('undo', done, path, before)
      continue
    }
    checkState('undo', done, path, before)
  }
  const others = changedPaths(done.before, done.after).filter((path) => !mine.has(path))
  const strangers = others.filter((path) => !oracle.eventsAt(path).some(({ claims }) => claims.has(by)))
  // Folders come and go with their files.
  const wrong = strangers.filter((path) =>
    [done.before, done.after].some((tree) => (tree.get(path)?.kind ?? 'folder') !== 'folder'),
  )
  check(
    wrong.filter((path) => !done.words.overwrite.includes(path)).length === 0,
    'undo',
    () => `the undo of ${by} changed ${some(wrong)}`,
  )
}

const isWatched = (oracle: Oracle, path: string, order: number): boolean => oracle.wasCoveredSince(path, order - 1)

/** An undo of an act right after it restores everything. */
function checkRedo({ oracle }: Place, step: number, done: Done): void {
  const act = oracle.acts.get(step)
  if (!act || oracle.order > act.order) return
  for (const path of changedPaths(act.before, act.after)) checkState('redo', done, path, stateOf(act.before, path))
  const asked = done.plan.entries.filter(
    ({ path, conflicts }) =>
      !oracle.mayLeave(path) && conflicts.some(({ kind }) => kind === 'others_work' || kind === 'merge_conflict'),
  )
  check(
    asked.length === 0,
    'redo',
    () => `an undo of an act right after it asks for ${some(asked.map(({ path }) => path))}`,
  )
}

/** F3, F9: a restore gives exactly the snapshot, or names what it cannot give. */
function checkRestore({ oracle }: Place, { to }: Extract<Asked, { do: 'restore' }>, done: Done): void {
  const moment = oracle.moments.find((one) => one.step === to)
  if (!moment) return
  const now = oracle.coverage()
  for (const path of moment.coverage.covered) checkState('restore', done, path, stateOf(moment.tree, path))
  for (const path of now.covered) {
    if (moment.coverage.covered.has(path)) continue
    if (!moment.tree.has(path)) checkState('restore', done, path, null)
    else if (!done.after.has(path)) checkState('restore', done, path, stateOf(done.before, path))
  }
}

/** An apply brings exactly the changes of the working copy. */
function checkApply({ folder, copy }: Stage, done: Done): void {
  const base = folder.oracle.moments[0]?.tree
  if (!copy || !base) return
  const isFirst = ![...folder.oracle.acts.values()].some(({ kind }) => kind === 'apply')
  if (!isFirst) return
  const covered = copy.oracle.coverage().covered
  for (const path of changedPaths(base, copy.oracle.tree)) {
    const events = [...folder.oracle.eventsAt(path).filter(({ step }) => step >= 0)]
    if (events.length > 0 || (copy.oracle.tree.has(path) && !covered.has(path))) continue
    if (!copy.oracle.wasCoveredSince(path, 0) || !folder.oracle.wasCoveredSince(path, 0)) continue
    checkState('apply', done, path, stateOf(copy.oracle.tree, path))
  }
  for (const path of changedPaths(done.before, done.after))
    check(
      copy.oracle.eventsAt(path).length > 0 || done.after.get(path)?.kind === 'folder',
      'apply',
      () => `the apply changed ${path}, which the working copy did not`,
    )
}
