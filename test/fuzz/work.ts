import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Step as AgentStep, appears, eventually, order } from '../support/carrel-session.ts'
import { perform } from './act.ts'
import { agentSteps, makeAsPerson, type ReadyEdit } from './edits.ts'
import { type Place, type Stage, WORKSPACE } from './ground.ts'
import type { Oracle, RunRecord } from './oracle.ts'
import type { Agent, Move, Step, Who } from './plan.ts'
import { changedPaths, copyOf } from './tree.ts'
import { check } from './violation.ts'

/** Paths of a place up to which a scan walks. In larger ones hints come this late (ms, decision 0008), and no person is faster. */
const SMALL = 150
const HINT_MS = 150

export type WorkStep = Extract<Step, { do: 'work' }>

/** A move with the edits that are possible. */
interface ReadyMove {
  readonly move: Move
  readonly edits: readonly ReadyEdit[]
  /** Edits of `b` in a move for both. */
  readonly others: readonly ReadyEdit[]
}

/** Makes all moves of a step in the model, in their order. */
function simulate(oracle: Oracle, step: WorkStep): ReadyMove[] {
  return step.moves.map((move) => {
    const by = 'who' in move ? `${step.id}${move.who}` : ''
    let edits: ReadyEdit[] = []
    let others: ReadyEdit[] = []
    if (move.do === 'edit') edits = oracle.edit(move.who === 'person' ? 'person' : by, step.id, move.edits)
    if (move.do === 'begin') oracle.begin(move.who, step.id)
    if (move.do === 'ask' || move.do === 'answer') oracle.asks(by, move.do === 'ask')
    if (move.do === 'end') oracle.end(by)
    if (move.do === 'kill') for (const run of oracle.runs.values()) if (run.step === step.id) run.shared = true
    if (move.do === 'both') [edits, others] = simulateBoth(oracle, step.id, move)
    oracle.look()
    return { move, edits, others }
  })
}

/** Two runs at once change no common path, so that the result does not depend on their order. */
function simulateBoth(
  oracle: Oracle,
  step: number,
  { edits }: Extract<Move, { do: 'both' }>,
): [ReadyEdit[], ReadyEdit[]] {
  const [a, b] = [oracle.begin('a', step), oracle.begin('b', step)]
  const before = copyOf(oracle.tree)
  const first = oracle.edit(a.by, step, edits.a)
  const avoid = new Set([
    ...changedPaths(before, oracle.tree),
    ...oracle.events.filter(({ by }) => by === a.by).map(({ path }) => path),
  ])
  const second = oracle.edit(b.by, step, edits.b, avoid)
  oracle.end(a.by)
  oracle.end(b.by)
  return [first, second]
}

const isOf = (move: Move | undefined, who: Who): boolean => move !== undefined && 'who' in move && move.who === who

/** Signs with which a run and the fuzz wait for each other, by the number of a move. */
interface Signs {
  readonly gate: (at: number) => string
  readonly reached: (at: number) => string
}

/** Performs the moves with a real person's writes and real runs. */
export class Work {
  readonly #stage: Stage
  readonly #place: Place
  readonly #step: WorkStep
  readonly #moves: readonly ReadyMove[]
  readonly #key = randomUUID()
  readonly #signs: Signs

  constructor(stage: Stage, place: Place, step: WorkStep) {
    this.#stage = stage
    this.#place = place
    this.#step = step
    this.#moves = simulate(place.oracle, step)
    const sign = (name: string) => join(stage.ground.gates, `${this.#key}-${name}`)
    this.#signs = { gate: (at) => sign(`gate-${at}`), reached: (at) => sign(`reached-${at}`) }
  }

  async perform(): Promise<void> {
    for (const at of this.#moves.keys()) await this.#perform(at)
  }

  async #perform(at: number): Promise<void> {
    const { move, edits } = this.#moves[at] as ReadyMove
    if (move.do === 'kill') return await this.#stage.ground.kill()
    if (move.do === 'act') return void (await perform(this.#stage, { ...move.act, id: this.#step.id }))
    const next = this.#moves[at + 1]?.move.do
    if (move.do === 'both') return await this.#both(at)
    if (move.who === 'person') {
      for (const ready of edits) makeAsPerson(this.#place.root, ready)
      const begins = next === 'begin' || next === 'both'
      if (begins && this.#place.oracle.tree.size > SMALL) await pause(HINT_MS)
      return
    }
    if (this.#waits(at)) writeFileSync(this.#signs.gate(at), '')
    if (move.do === 'begin') await this.#begin(at, move.who)
    if (move.do === 'edit' && this.#isAwaited(at)) await appears(this.#signs.reached(at))
    if (move.do === 'ask') await this.#openQuestion(move.who)
    if (move.do === 'answer') await this.#answer(move.who)
    if (move.do === 'end') await this.#end(move.who)
  }

  /** Whether the run waits for a sign before this move, because somebody else comes in between. */
  #waits(at: number): boolean {
    const move = this.#moves[at]?.move as Move
    if (!('who' in move) || move.do === 'begin' || move.do === 'answer') return false
    return !isOf(this.#moves[at - 1]?.move, move.who)
  }

  #isAwaited(at: number): boolean {
    const move = this.#moves[at]?.move
    return move?.do === 'edit' && !isOf(this.#moves[at + 1]?.move, move.who)
  }

  #script(who: Agent): AgentStep[] {
    const steps = [...this.#moves.entries()].flatMap(([at, { move, edits }]): AgentStep[] => {
      if (!isOf(move, who)) return []
      const waits = this.#waits(at) ? [{ gate: this.#signs.gate(at) }] : []
      if (move.do === 'ask') return [...waits, { ask: { title: 'May I go on?' } }]
      if (move.do !== 'edit') return waits
      const reached = this.#isAwaited(at) ? [{ run: `: > '${this.#signs.reached(at)}'` }] : []
      return [...waits, ...agentSteps(edits, move.isOneCall), ...reached]
    })
    return [...steps, { say: 'done' }]
  }

  async #prompt(who: Agent, steps: readonly AgentStep[], wait: 'accepted' | 'started' | 'ended') {
    const id = this.#stage.sessions.get(who) as string
    const key = `${this.#key}-${who}`
    return await this.#stage.ground.carrel.call('sessions.prompt', {
      workspace: WORKSPACE,
      id,
      key,
      wait,
      content: order(steps),
    })
  }

  async #begin(at: number, who: Agent): Promise<void> {
    await this.#prompt(who, this.#script(who), isOf(this.#moves[at + 1]?.move, who) ? 'accepted' : 'started')
  }

  async #end(who: Agent, steps = this.#script(who)): Promise<void> {
    const { run, outcome } = await this.#prompt(who, steps, 'ended')
    check(outcome === 'completed', 'run', () => `the run of ${who} ended as ${outcome}`)
    ;(this.#place.oracle.runs.get(`${this.#step.id}${who}`) as RunRecord).id = String(run)
  }

  async #both(at: number): Promise<void> {
    const { move, edits, others } = this.#moves[at] as ReadyMove
    const isOneCall = move.do === 'both' && move.isOneCall
    const steps = (ready: readonly ReadyEdit[]) => [...agentSteps(ready, isOneCall), { say: 'done' }]
    await Promise.all([this.#end('a', steps(edits)), this.#end('b', steps(others))])
  }

  async #question(who: Agent): Promise<string | null> {
    const session = this.#stage.sessions.get(who) as string
    const asked = { workspace: WORKSPACE, session, state: 'open' as const }
    return (await this.#stage.ground.carrel.call('interactions.list', asked)).interactions[0]?.id ?? null
  }

  async #openQuestion(who: Agent): Promise<void> {
    await eventually('the run asks', async () => (await this.#question(who)) !== null)
  }

  async #answer(who: Agent): Promise<void> {
    const id = (await this.#question(who)) as string
    const answer = { option: 'allow-once' }
    await this.#stage.ground.carrel.call('interactions.answer', { workspace: WORKSPACE, id, answer })
  }
}
