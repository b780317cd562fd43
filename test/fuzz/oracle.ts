import { type Coverage, coverageOf, isLarger, isNamedBy, type Rules } from './coverage.ts'
import { applyTo, type Edit, type ReadyEdit } from './edits.ts'
import type { Agent } from './plan.ts'
import {
  changedPaths,
  copyOf,
  foldersAbove,
  type Node,
  type State,
  stateOf,
  type Tree,
  tokensIn,
  tokensOf,
} from './tree.ts'

/** An author in the oracle: `person`, a run such as `3a` (step and agent), or an act such as `act4`. */
export type By = string

/** One author's change to one path. */
export interface Event {
  readonly order: number
  readonly step: number
  readonly by: By
  /** Everybody who may count as its author: a person's edit while a run is at work counts as the run's too. */
  readonly claims: ReadonlySet<By>
  readonly path: string
  readonly before: State
  readonly after: State
  /** Whether the history is to have the path right before or after it. */
  readonly isCovered: boolean
}

/** A moment at which the history had everything. */
export interface Moment {
  readonly step: number
  readonly n: number
  readonly order: number
  readonly tree: Tree
  readonly coverage: Coverage
}

export interface RunRecord {
  readonly by: By
  readonly agent: Agent
  readonly step: number
  readonly order: number
  readonly before: Tree
  readonly coverage: Coverage
  /** Another run was at work, or a question was open, or the server was killed: authorship may be uncertain. */
  shared: boolean
  id: string
  end: number
}

export interface ActRecord {
  readonly by: By
  readonly id: string
  readonly kind: string
  readonly order: number
  readonly before: Tree
  readonly after: Tree
}

/** A pure record of who wrote which bytes when, in one working copy. */
export class Oracle {
  tree: Tree = new Map()
  #rules: Rules
  order = 0
  readonly events: Event[] = []
  readonly moments: Moment[] = []
  readonly runs = new Map<By, RunRecord>()
  readonly acts = new Map<number, ActRecord>()
  readonly #hides: boolean
  readonly #kept = new Map<string, string>()
  readonly #claims = new Map<string, Set<By>>()
  /** Runs at work now; true while their question is open. */
  readonly #atWork = new Map<By, boolean>()
  readonly #lastUncovered = new Map<string, number>()

  constructor(rules: Rules, hides: boolean) {
    this.#rules = rules
    this.#hides = hides
  }

  coverage(tree: Tree = this.tree): Coverage {
    return coverageOf(tree, this.#rules, { hides: this.#hides, kept: this.#kept })
  }

  /** Takes new rules. Files that are covered now may stay so when they are larger than a new limit. */
  ruled(rules: Rules): void {
    for (const path of this.coverage().covered) {
      const { kind, text } = this.tree.get(path) as Node
      if (kind === 'file' && isLarger(text, rules)) this.#kept.set(path, text)
    }
    this.#rules = rules
  }

  /** Notes the paths that are uncovered now. */
  look(): Coverage {
    const coverage = this.coverage()
    for (const path of this.tree.keys()) if (!coverage.covered.has(path)) this.#lastUncovered.set(path, this.order)
    return coverage
  }

  /** Whether a path was covered, or absent, at each moment since then. */
  wasCoveredSince = (path: string, order: number): boolean =>
    [path, ...foldersAbove(path)].every((one) => (this.#lastUncovered.get(one) ?? -1) < order)

  /** Makes these edits in the model. Returns the possible ones; `avoid`: no edit may change one of these paths. */
  edit(by: By, step: number, edits: readonly Edit[], avoid: ReadonlySet<string> = new Set()): ReadyEdit[] {
    const claims = new Set([by, ...(by === 'person' ? this.#working() : [])])
    const made: ReadyEdit[] = []
    for (const edit of edits) {
      if (edit.do === 'mode' && edit.mode === 0 && !this.#hides) continue
      const next = copyOf(this.tree)
      const ready = applyTo(next, edit)
      if (!ready || changedPaths(this.tree, next).some((path) => avoid.has(path))) continue
      for (const token of tokensIn('text' in edit ? edit.text : ''))
        if (!this.#claims.has(token)) this.#claims.set(token, claims)
      this.#note(by, step, claims, next, passedBy(edit, this.tree, next))
      this.look()
      made.push(ready)
    }
    return made
  }

  begin(agent: Agent, step: number): RunRecord {
    const by = `${step}${agent}`
    const coverage = this.look()
    this.order += 1
    const shared = this.#atWork.size > 0
    for (const other of this.#atWork.keys()) (this.runs.get(other) as RunRecord).shared = true
    const run: RunRecord = {
      by,
      agent,
      step,
      order: this.order,
      before: copyOf(this.tree),
      coverage,
      shared,
      id: '',
      end: 0,
    }
    this.runs.set(by, run)
    this.#atWork.set(by, false)
    return run
  }

  /** Notes that a run waits for a person, or works again. */
  asks(by: By, isOpen: boolean): void {
    this.#atWork.set(by, isOpen)
    ;(this.runs.get(by) as RunRecord).shared = true
  }

  end(by: By): void {
    this.#atWork.delete(by)
    ;(this.runs.get(by) as RunRecord).end = this.order
  }

  /** Takes the result of an act: the disk is what the plan promised. */
  acted(step: number, id: string, kind: string, after: Tree): ActRecord {
    const by = `act${step}`
    const before = copyOf(this.tree)
    const was = tokensOf(this.tree)
    for (const token of tokensOf(after)) {
      if (was.has(token)) continue
      // An apply brings lines of another working copy.
      const claims = this.#claims.get(token) ?? new Set()
      this.#claims.set(token, claims.add(by))
    }
    this.#note(by, step, new Set([by]), after)
    const act = { by, id, kind, order: this.order, before, after: copyOf(after) }
    this.acts.set(step, act)
    return act
  }

  /** Whether the history may have let a path go at any time, since a limit was lowered below its size. */
  mayLeave = (path: string): boolean => this.moments.some(({ coverage }) => coverage.either.has(path))

  /** Takes names of one file from the disk: the states are equal, but an act or a write may have cut hard links. */
  adopt(disk: Tree): void {
    this.tree = disk
  }

  moment(step: number, n: number): Moment {
    const moment = { step, n, order: this.order, tree: copyOf(this.tree), coverage: this.look() }
    this.moments.push(moment)
    return moment
  }

  claimsOf = (token: string): ReadonlySet<By> => this.#claims.get(token) ?? new Set(['person'])
  eventsAt = (path: string): Event[] => this.events.filter((event) => event.path === path)

  #working(): By[] {
    return [...this.#atWork].filter(([, isAsking]) => !isAsking).map(([by]) => by)
  }

  #note(by: By, step: number, claims: ReadonlySet<By>, next: Tree, passed: readonly string[] = []): void {
    const changed = new Set([...changedPaths(this.tree, next), ...passed])
    this.order += 1
    const covered = this.coverage().covered.union(this.coverage(next).covered)
    for (const path of changed) {
      const [before, after] = [stateOf(this.tree, path), stateOf(next, path)]
      this.events.push({ order: this.order, step, by, claims, path, before, after, isCovered: covered.has(path) })
    }
    this.tree = next
  }
}

/** Returns the paths that an edit leaves empty for a moment, although they have the same state afterwards. */
function passedBy(edit: Edit, before: Tree, after: Tree): string[] {
  if (edit.do !== 'swap' && edit.do !== 'turn') return []
  const tops = 'to' in edit ? [edit.path, edit.to] : [edit.path]
  return [...before.keys()].filter((path) => after.has(path) && isNamedBy(tops, path))
}
