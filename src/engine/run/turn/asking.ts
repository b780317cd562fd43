import type { RunView, SessionView } from '../../../model/events/view.ts'
import { globMatches } from '../../../model/glob.ts'
import type { InteractionId } from '../../../model/ids.ts'
import {
  type Answer,
  carryAnswer,
  defaultAnswer,
  fingerprint,
  type Grant,
  type Question,
} from '../../../model/interaction.ts'
import { decide } from '../../../model/rules.ts'
import { awakeTimeout } from '../../../primitives/timers.ts'
import { mayTakeEffect } from '../../authorize.ts'
import type { RunWork } from '../run-work.ts'
import { expiryOf } from './expiry.ts'
import { ruledAnswer } from './questions.ts'

interface Waiting {
  readonly question: Question
  settle(answer: Answer | null): void
}

/** An aborted question is withdrawn only after this: an agent that died by then leaves its question open. ms. */
const WITHDRAW_AFTER_MS = 400
const NEVER = new Promise<never>(() => undefined)

/** The run whose agent asks. */
export type AskingRun = Pick<RunView, 'id' | 'agent' | 'given'> & { readonly place: Pick<RunView['place'], 'path'> }

/** The questions of one run's agent: those of the run under way, or those that the agent asks after its end. */
export class RunQuestions {
  readonly #work: RunWork
  readonly #run: AskingRun
  readonly #afterword: boolean
  readonly #waiting = new Map<InteractionId, Waiting>()
  readonly #using = new Set<InteractionId>()
  readonly #expiring = new Set<string>()
  /** Questions that people hear of in a moment. */
  readonly #coming = new Set<Question>()
  readonly #listeners = new Set<() => unknown>()
  #left = false
  #giving = 0

  constructor(work: RunWork, run: AskingRun, afterword = false) {
    this.#work = work
    this.#run = run
    this.#afterword = afterword
  }

  get waiting(): InteractionId[] {
    return [...this.#waiting.keys()]
  }

  get open(): number {
    return this.#waiting.size
  }

  /** The questions that wait, or that people hear of in a moment. */
  get asked(): readonly Question[] {
    return [...this.#coming, ...this.#waiting.values().map(({ question }) => question)]
  }

  /** An answer is on its way to the agent: parking the run now would lose it. */
  get giving(): boolean {
    return this.#giving > 0
  }

  /** Calls the listener when the number of questions changes. People hear of a question once its promise resolves. */
  onChange(listener: () => unknown): void {
    this.#listeners.add(listener)
  }

  /** Keeps aborted questions open in the log from now on: the run is parked, or its end settles them. */
  leave(): void {
    this.#left = true
  }

  /** Tells the agent that no answer will come. */
  giveUp(): void {
    for (const { settle } of this.#waiting.values()) settle(null)
  }

  /**
   * Answers a question from stored answers, then by the rules, then by asking people. Null: no answer will come.
   * `again`: an earlier server may have asked the same question already.
   */
  async ask(question: Question, signal: AbortSignal, again: boolean): Promise<Answer | null> {
    const given = again ? this.#givenBefore(question) : null
    const stored = given ?? (await this.#byGrant(question))
    const open = again ? this.#openAgain(question) : null
    return stored ?? (open ? null : await this.#byRule(question)) ?? (await this.#byPerson(question, signal, open))
  }

  /** Passes new answers to the waiting agent, and writes the defaults of expired questions. */
  async react(view: SessionView): Promise<void> {
    for (const grant of view.grants) {
      const asked = this.#waiting.get(grant.interaction)
      if (!asked || this.#using.has(grant.interaction)) continue
      asked.settle(await this.#use(grant, asked.question))
    }
    const { ctx } = this.#work
    for (const [id, open] of Object.entries(view.open)) {
      const { afterword = false } = open
      if (afterword !== this.#afterword || (afterword && !this.#waiting.has(id as InteractionId))) continue
      const expiresAt = expiryOf(ctx, open)
      if (expiresAt === null || expiresAt > ctx.now() || this.#expiring.has(id)) continue
      this.#expiring.add(id)
      const data = { interaction: id as InteractionId, answer: defaultAnswer(open.question) }
      await this.#work.recorder.record({ type: 'interaction.expired', run: this.#run.id, data })
    }
  }

  /** Uses an answer once: the lease is proven and the use is on disk before the agent gets it (S3, I3). */
  async #use({ interaction, answer }: Grant, question: Question): Promise<Answer> {
    const { ctx, recorder, lease } = this.#work
    this.#using.add(interaction)
    this.#giving += 1
    try {
      await lease.renew()
      await mayTakeEffect(ctx, recorder.session.workspace)
      // The run was parked meanwhile: the answer stays stored for the next process, and this agent gets none.
      if (this.#left) return await NEVER
      const data = { interaction, run: this.#run.id, toolCallId: question.toolCallId }
      await recorder.record({ type: 'grant.used', run: this.#run.id, data })
      return answer
    } finally {
      this.#giving -= 1
    }
  }

  async #byGrant(question: Question): Promise<Answer | null> {
    const { recorder } = this.#work
    const print = fingerprint(this.#run.agent, question)
    for (const grant of recorder.view.grants) {
      const { interaction, afterword = false } = grant
      if (afterword !== this.#afterword) continue
      if (grant.fingerprint !== print || this.#using.has(interaction) || this.#waiting.has(interaction)) continue
      const before = recorder.item(grant.n)
      const answer = before?.kind === 'question' ? carryAnswer(grant.answer, before.question, question) : null
      if (answer) return await this.#use({ ...grant, answer }, question)
    }
    return null
  }

  /**
   * An answer that is stored as used and did not reach the agent before the server died: nobody is asked twice (I3). The
   * agent is the same process, so that the same question again, for another tool call, is another question.
   */
  #givenBefore(question: Question): Answer | null {
    const print = fingerprint(this.#run.agent, question)
    const grant = this.#run.given.find(
      (each) =>
        each.fingerprint === print && each.toolCallId === question.toolCallId && !this.#using.has(each.interaction),
    )
    if (!grant) return null
    this.#using.add(grant.interaction)
    return grant.answer
  }

  #openAgain(question: Question): InteractionId | null {
    const print = fingerprint(this.#run.agent, question)
    const { open } = this.#work.recorder.view
    const ids = Object.keys(open) as InteractionId[]
    const isOwn = (id: InteractionId) => (open[id]?.afterword ?? false) === this.#afterword && !this.#waiting.has(id)
    return ids.find((id) => open[id]?.fingerprint === print && isOwn(id)) ?? null
  }

  async #byRule(question: Question): Promise<Answer | null> {
    const { ctx, recorder, lease } = this.#work
    const { id: run, place, agent } = this.#run
    const rules = await ctx.store.people.rules(recorder.session.workspace)
    const rule = decide(rules, { space: recorder.session.space, folder: place.path, agent, question }, globMatches)
    if (!rule || rule.action === 'ask') return null
    const answer = ruledAnswer(question, rule.action)
    if (!answer) return null
    await lease.renew()
    const { toolCallId, title } = question
    const data = { run, rule: rule.id, action: rule.action, toolCallId, title, ...this.#mark }
    await recorder.record({ type: 'permission.ruled', run, data })
    return answer
  }

  async #byPerson(question: Question, signal: AbortSignal, open: InteractionId | null): Promise<Answer | null> {
    if (open === null) {
      // A person may answer, and write files, as soon as the question is in the log.
      this.#coming.add(question)
      await this.#changed()
      this.#coming.delete(question)
      if (signal.aborted) {
        void this.#changed()
        return null
      }
      if (this.#left) return await NEVER
    }
    const interaction = open ?? (this.#work.ctx.id('interaction') as InteractionId)
    const answer = new Promise<Answer | null>((settle) => this.#waiting.set(interaction, { question, settle }))
    void this.#changed()
    if (open === null) await this.#recordOpened(interaction, question)
    void this.#changed()
    const abandon = () => this.#abandon(interaction)
    if (signal.aborted) abandon()
    signal.addEventListener('abort', abandon, { once: true })
    try {
      return await answer
    } finally {
      signal.removeEventListener('abort', abandon)
      this.#waiting.delete(interaction)
      void this.#changed()
    }
  }

  async #recordOpened(interaction: InteractionId, question: Question): Promise<void> {
    const { ctx, recorder } = this.#work
    const { id: run, agent } = this.#run
    const { questionTtlMs } = ctx.config
    const expiresAt = questionTtlMs === null ? null : ctx.now() + questionTtlMs
    const print = fingerprint(agent, question)
    const data = { interaction, run, agent, question, fingerprint: print, expiresAt, ...this.#mark }
    await recorder.record({ type: 'interaction.opened', run, data })
  }

  get #mark() {
    return this.#afterword ? { afterword: true as const } : {}
  }

  #abandon(interaction: InteractionId): void {
    const { recorder } = this.#work
    this.#waiting.get(interaction)?.settle(null)
    awakeTimeout(WITHDRAW_AFTER_MS, () => {
      if (this.#left || !recorder.view.open[interaction]) return
      const withdrawn = { interaction, reason: 'The agent no longer waits for an answer.' }
      recorder.push({ type: 'interaction.withdrawn', run: this.#run.id, data: withdrawn })
    })
  }

  async #changed(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener()))
  }
}
