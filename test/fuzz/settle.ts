import type { Client } from '../../src/client/client.ts'
import { CarrelError } from '../../src/model/errors.ts'
import type { Change } from '../../src/model/files/history.ts'
import { isNamedBy } from './coverage.ts'
import { type Place, type Stage, WORKSPACE } from './ground.ts'
import type { Event, Moment, Oracle, RunRecord } from './oracle.ts'
import { apiState, changedPaths, foldersAbove, readTree, type State, stateOf, UNCOVERED } from './tree.ts'
import { check, some } from './violation.ts'

const EVERYTHING = { workspace: WORKSPACE }
/** Page of a list; no story has more changes in a step. */
const PAGE = 500
/** Files of one snapshot that are read. */
const MOST_READ = 3

const at = ({ project }: Place) => ({ ...EVERYTHING, project })

/** Checks that the disk holds exactly the writes of all authors. */
function checkDisk({ root, oracle }: Place): void {
  const disk = readTree(root)
  const wrong = changedPaths(disk, oracle.tree)
  const told = () => wrong.map((path) => `${path}: ${stateOf(disk, path)} instead of ${stateOf(oracle.tree, path)}`)
  check(wrong.length === 0, 'disk', () => `the disk differs from what the authors did: ${some(told())}`)
  oracle.adopt(disk)
}

/** Takes a snapshot, and checks everything that the history then says about the step. */
export async function settle(stage: Stage, place: Place, step: number): Promise<Moment> {
  const { carrel } = stage.ground
  checkDisk(place)
  const { n } = await carrel.call('history.capture', at(place))
  const since = place.n
  const last = place.oracle.moments.at(-1)
  const moment = place.oracle.moment(step, n)
  await checkSnapshot(carrel, place, moment)
  await checkGaps(carrel, place, moment)
  if (last) await checkRows(carrel, place, { since, last, moment })
  place.n = n
  for (const run of place.oracle.runs.values()) if (run.step === step) await checkRun(stage, place, run, moment)
  return moment
}

/** F9: a snapshot has every covered path exactly, and goes on having it. */
export async function checkSnapshot(carrel: Client, place: Place, { n, tree, coverage, step }: Moment): Promise<void> {
  const { changes } = await carrel.call('history.changes', { ...at(place), from: 0, to: n })
  const held = new Map(changes.map(({ path, after }) => [path, apiState(after)]))
  const told = `snapshot ${n} (step ${step}, newest ${place.oracle.moments.at(-1)?.n})`
  for (const path of coverage.covered) {
    // The list has changes only: a path that a rule brought into the history is asked for by name.
    const state = held.get(path) ?? (await stateAt(carrel, place, path, n))
    const due = stateOf(tree, path)
    check(state === due, 'snapshot', () => `${told} has ${path} as ${state ?? 'nothing'} instead of ${due}`)
  }
  for (const [path, state] of held)
    if (state !== null && state !== UNCOVERED && !coverage.covered.has(path))
      check(
        isNamedBy([...coverage.gaps.keys(), ...coverage.either], path),
        'snapshot',
        () => `${told} has ${path}, where nothing was`,
      )
}

async function stateAt(carrel: Client, place: Place, path: string, n: number): Promise<State> {
  try {
    return apiState((await carrel.call('history.file', { ...at(place), path, at: n })).state)
  } catch (thrown) {
    if (thrown instanceof CarrelError && thrown.code === 'not_found') return null
    throw thrown
  }
}

/** F9: the content of a snapshot can be read, whether or not it is on the disk now. */
export async function checkContent(carrel: Client, place: Place, { n, tree, coverage }: Moment): Promise<void> {
  const files = [...coverage.covered].filter((path) => tree.get(path)?.kind === 'file')
  const other = files.filter((path) => stateOf(place.oracle.tree, path) !== stateOf(tree, path))
  for (const path of other.slice(0, MOST_READ)) {
    const { content } = await carrel.call('history.file', { ...at(place), path, at: n })
    check(content === tree.get(path)?.text, 'content', () => `snapshot ${n} gives other bytes of ${path}`)
  }
}

/** F5: exactly the uncovered paths are listed, with their reasons. */
async function checkGaps(carrel: Client, place: Place, { coverage }: Moment): Promise<void> {
  const { gaps } = await carrel.call('history.gaps', { ...at(place), limit: PAGE })
  const listed = gaps
    .filter(({ path }) => path !== '.git' && !coverage.either.has(path))
    .map(({ path, why }) => `${path} ${why}`)
  const due = [...coverage.gaps].map(([path, why]) => `${path} ${why}`)
  const wrong = [
    ...due.filter((one) => !listed.includes(one)).map((one) => `${one} is missing`),
    ...listed.filter((one) => !due.includes(one)).map((one) => `${one} is too many`),
  ]
  check(wrong.length === 0, 'gaps', () => some(wrong))
}

interface Span {
  readonly since: number
  readonly last: Moment
  readonly moment: Moment
}

/** The rows of a step are complete, hang together and have an author who did it. */
async function checkRows(carrel: Client, place: Place, { since, last, moment }: Span): Promise<void> {
  const { oracle } = place
  const byPath = Map.groupBy(await rowsSince(carrel, place, since), ({ path }) => path)
  const events = oracle.events.filter(({ order }) => order > last.order)
  for (const [path, rows] of byPath) {
    const told = () =>
      `${path}: ${rows.map((row) => `${row.n} ${apiState(row.after)} ${whoOf(place, row)}`).join('; ')}`
    let was: State | undefined
    for (const row of rows) {
      // Paths leave the history and come back without a row.
      const hangs = was === undefined || was === apiState(row.before) || !oracle.wasCoveredSince(path, last.order)
      check(hangs, 'chain', told)
      was = apiState(row.after)
      checkAuthor(
        place,
        row,
        events.filter((event) => event.path === path),
        told,
      )
    }
  }
  for (const path of changedPaths(last.tree, moment.tree)) {
    const isCovered = ({ tree, coverage }: Moment) =>
      tree.has(path) ? coverage.covered.has(path) : !isNamedBy(coverage.gaps.keys(), path)
    if (!isCovered(last) || !isCovered(moment) || !oracle.wasCoveredSince(path, last.order)) continue
    const after = byPath.get(path)?.at(-1)?.after
    check(
      after !== undefined && apiState(after) === stateOf(moment.tree, path),
      'rows',
      () =>
        `${path} changed to ${stateOf(moment.tree, path)}, and the history says ${after === undefined ? 'nothing' : apiState(after)}`,
    )
  }
}

/** Returns the changes after a snapshot, oldest first. */
async function rowsSince(carrel: Client, place: Place, since: number): Promise<Change[]> {
  const found: Change[] = []
  let cursor: string | null | undefined
  do {
    const asked = { ...EVERYTHING, space: place.space as never, limit: PAGE, ...(cursor && { cursor }) }
    const page = await carrel.call('changes.list', asked)
    const here = page.changes.filter(({ project }) => (project ?? null) === (place.isCopy ? place.project : null))
    found.push(...here.map(({ change }) => change).filter(({ n }) => n > since))
    cursor = here.some(({ change }) => change.n <= since) ? null : page.cursor
  } while (cursor)
  return found.sort((a, b) => a.n - b.n)
}

function whoOf({ oracle }: Place, { author, certainty }: Change): string {
  const run = (id: string) => [...oracle.runs.values()].find((one) => one.id === id)?.by ?? id
  if (author.kind === 'run') return `${run(author.run)} (${certainty})`
  if (author.kind === 'unknown') return `one of ${author.among.map(run).join(', ')} (${certainty})`
  return author.kind === 'act' ? `act ${author.act}` : `${author.kind} (${certainty})`
}

function checkAuthor({ oracle }: Place, row: Change, events: readonly Event[], told: () => string): void {
  // A name that an edit used for a moment.
  if (isAside(row.path) || isLeave(oracle, row)) return
  const isBy = (by: string) => events.some(({ claims }) => claims.has(by))
  const truth = () => `${told()}; it was ${some(new Set(events.map(({ by }) => by))) || 'nobody'}`
  const { author, certainty } = row
  const runs = [...oracle.runs.values()]
  const byOf = (id: string) => runs.find((one) => one.id === id)?.by ?? ''
  if (author.kind === 'outside') {
    // A scan may fall into a person's own write; what a run writes is never a person's.
    const isAlone = events.length > 0 && events.every(({ by }) => by === 'person')
    const isUnknown = row.after?.uncovered === true && isBy('person')
    const isTheirs =
      isAlone || isUnknown || events.some(({ by, after }) => by === 'person' && after === apiState(row.after))
    check(isTheirs, 'author', () => `a person counts as the author of ${truth()}`)
  } else if (author.kind === 'run') {
    check(isBy(byOf(author.run)), 'author', () => `a run counts as the author of ${truth()}`)
  } else if (author.kind === 'unknown') {
    const workers = events.filter(({ by }) => by !== 'person').map(({ by }) => by)
    const among = author.among.map(byOf)
    check(
      workers.every((by) => among.includes(by) || !isLast(events, by, row)),
      'author',
      () => `a run is left out of ${truth()}`,
    )
    const alone = runs.filter((one) => among.includes(one.by) && one.shared)
    check(alone.length > 0, 'author', () => `a run that worked alone is unsure: ${truth()}`)
  } else {
    check(isBy(actBy(oracle.acts, author.act)), 'author', () => `an act counts as the author of ${truth()}`)
  }
  void certainty
}

const isAside = (path: string): boolean => path.split('/').includes('.aside')

/** Whether a row says only that a file above a new limit left the history. */
const isLeave = (oracle: Oracle, { path, after }: Pick<Change, 'path' | 'after'>): boolean =>
  after?.uncovered === true && oracle.mayLeave(path)

/** Whether this author made the very state of a row. */
const isLast = (events: readonly Event[], by: string, row: Change): boolean =>
  events.some((event) => event.by === by && event.after === apiState(row.after)) &&
  !events.some((event) => event.by !== by && event.after === apiState(row.after))

const actBy = (acts: Place['oracle']['acts'], id: string): string =>
  [...acts.values()].find((act) => act.id === id)?.by ?? ''

/** The changes of a run are those that it made: none missing, none of others. */
async function checkRun(stage: Stage, place: Place, run: RunRecord, moment: Moment): Promise<void> {
  const { oracle } = place
  const { changes } = await stage.ground.carrel.call('history.changes', { ...at(place), run: run.id as never })
  const mine = oracle.events.filter(({ claims, step }) => step === run.step && claims.has(run.by))
  const listed = new Map(changes.map((change) => [change.path, change]))
  for (const [path, change] of listed) {
    const { certainty, author } = change
    if (certainty === 'overlapping' || author.kind === 'unknown' || isAside(path) || isLeave(oracle, change)) continue
    const isMine = mine.some((event) => event.path === path)
    check(isMine, 'changes', () => `${run.by} has ${path} (${certainty}), which it did not write`)
  }
  const silent: string[] = []
  for (const path of new Set(mine.filter(({ by }) => by === run.by).map((event) => event.path))) {
    const own = mine.filter((event) => event.path === path)
    const [before, after] = [stateOf(run.before, path), own.at(-1)?.after ?? null]
    if (listed.has(path) || before === after || before === null) continue
    // Another author may have reverted it before the next scan.
    const others = oracle.eventsAt(path).some((event) => event.step === run.step && event.by !== run.by)
    if (!others && stateOf(moment.tree, path) === after) silent.push(path)
  }
  await checkSilent(stage, place, run, moment, silent)
}

/** F5: a run's change of something that was there is in its changes, in a notice, or among the gaps, before or after. */
async function checkSilent(
  { ground, sessions }: Stage,
  { oracle }: Place,
  run: RunRecord,
  moment: Moment,
  silent: readonly string[],
): Promise<void> {
  const gaps = [...run.coverage.gaps.keys(), ...moment.coverage.gaps.keys()]
  const open = silent.filter((path) => !isNamedBy(gaps, path))
  if (open.length === 0) return
  const id = sessions.get(run.agent) as never
  const { items } = await ground.carrel.call('sessions.view', { workspace: WORKSPACE, id, limit: 100 })
  const notices = items.flatMap((item) => (item.kind === 'notice' ? [item.text] : [])).join('\n')
  for (const path of open) {
    const isNamed = [path, ...foldersAbove(path)].some((one) => notices.includes(one))
    check(isNamed, 'silent', () => `${run.by} changed ${path}, which is in no change, gap or notice`)
  }
  void oracle
}
