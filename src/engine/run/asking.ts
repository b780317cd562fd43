import { globMatches } from '../../model/glob.ts'
import type { InteractionId } from '../../model/ids.ts'
import { type Answer, carryAnswer, fingerprint, type Grant, type Question } from '../../model/interaction.ts'
import { decide } from '../../model/rules.ts'
import type { RunView, SessionView } from '../../model/view.ts'
import { mayTakeEffect } from '../authorize.ts'
import { defaultAnswer, ruledAnswer } from './questions.ts'
import type { RunWork } from './run-work.ts'

/** Questions of one run while a process serves it. */
export interface Asking {
  /**
   * Puts a question to stored answers, to the rules, and then to people. Null: no answer will come any more. `again`: it may
   * have been put before this server started, and then it is the same question.
   */
  ask(question: Question, signal: AbortSignal, again: boolean): Promise<Answer | null>
  /** Hands answers that have arrived to the agent that waits for them; writes defaults of expired questions. */
  react(view: SessionView): Promise<void>
  /** How many questions wait for a person. */
  readonly open: number
  /** An answer is on its way to the agent: a run that is parked now would lose it. */
  readonly giving: boolean
  /** Called when the number of waiting questions changes. */
  onChange(listener: () => void): void
  /** From now on an aborted question stays open in the log: the run is parked, or its end settles them. */
  leave(): void
}

interface Waiting {
  readonly question: Question
  settle(answer: Answer | null): void
}

/** An agent that gave up waiting is given this long to turn out dead; only then is its question withdrawn. ms. */
const WITHDRAW_AFTER_MS = 400
const NEVER = new Promise<never>(() => undefined)

export function createAsking(work: RunWork, run: RunView): Asking {
  const { ctx, recorder, lease } = work
  const waiting = new Map<InteractionId, Waiting>()
  const using = new Set<InteractionId>()
  const expiring = new Set<string>()
  const listeners = new Set<() => void>()
  let left = false
  let giving = 0
  const changed = () => {
    for (const listener of listeners) listener()
  }

  /** Once: the lease is proven, the use is on disk, and only then does the answer reach the agent (S3, I3). */
  const use = async (grant: Grant, question: Question, answer: Answer): Promise<Answer> => {
    using.add(grant.interaction)
    giving += 1
    try {
      await lease.renew()
      await mayTakeEffect(ctx, recorder.session.workspace)
      // Parked in this moment: the answer stays stored for the agent that asks again, and this one gets none at all.
      if (left) return await NEVER
      const data = { interaction: grant.interaction, run: run.id, toolCallId: question.toolCallId }
      await recorder.record({ type: 'grant.used', run: run.id, data })
      return answer
    } finally {
      giving -= 1
    }
  }

  /** The answer a person gave to this very question before the agent was started anew. */
  const byGrant = async (question: Question): Promise<Answer | null> => {
    const print = fingerprint(run.agent, question)
    for (const grant of recorder.view.grants) {
      if (grant.fingerprint !== print || using.has(grant.interaction) || waiting.has(grant.interaction)) continue
      const before = recorder.item(grant.n)
      const answer = before?.kind === 'question' ? carryAnswer(grant.answer, before.question, question) : null
      if (answer) return await use(grant, question, answer)
    }
    return null
  }

  /** An answer that was stored as given, and had not reached the agent when the server died: nobody is asked twice (I3). */
  const byGiven = (question: Question): Answer | null => {
    const print = fingerprint(run.agent, question)
    const grant = run.given.find((each) => each.fingerprint === print && !using.has(each.interaction))
    if (!grant) return null
    using.add(grant.interaction)
    return grant.answer
  }

  /** The question as it stands open in the log since before this server started. */
  const openAgain = (question: Question): InteractionId | null => {
    const print = fingerprint(run.agent, question)
    const found = Object.entries(recorder.view.open).find(
      ([id, open]) => open.fingerprint === print && !waiting.has(id as InteractionId),
    )
    return (found?.[0] as InteractionId | undefined) ?? null
  }

  const byRule = async (question: Question): Promise<Answer | null> => {
    const rules = await ctx.store.people.rules(recorder.session.workspace)
    const subject = { space: recorder.session.space, folder: run.place.path, agent: run.agent, question }
    const rule = decide(rules, subject, globMatches)
    const answer = rule && rule.action !== 'ask' ? ruledAnswer(question, rule.action) : null
    if (!rule || rule.action === 'ask' || !answer) return null
    await lease.renew()
    const data = {
      run: run.id,
      rule: rule.id,
      action: rule.action,
      toolCallId: question.toolCallId,
      title: question.title,
    }
    await recorder.record({ type: 'permission.ruled', run: run.id, data })
    return answer
  }

  const byPerson = async (
    question: Question,
    signal: AbortSignal,
    open: InteractionId | null,
  ): Promise<Answer | null> => {
    const interaction = open ?? (ctx.id('interaction') as InteractionId)
    const { questionTtlMs } = ctx.config
    const answer = new Promise<Answer | null>((resolve) => waiting.set(interaction, { question, settle: resolve }))
    const expiresAt = questionTtlMs === null ? null : ctx.now() + questionTtlMs
    const data = {
      interaction,
      run: run.id,
      agent: run.agent,
      question,
      fingerprint: fingerprint(run.agent, question),
      expiresAt,
    }
    if (open === null) await recorder.record({ type: 'interaction.opened', run: run.id, data })
    changed()
    const abandon = () => {
      waiting.get(interaction)?.settle(null)
      setTimeout(() => {
        if (left || !recorder.view.open[interaction]) return
        const withdrawn = { interaction, reason: 'The agent does not wait for an answer any more.' }
        recorder.push({ type: 'interaction.withdrawn', run: run.id, data: withdrawn })
      }, WITHDRAW_AFTER_MS)
    }
    if (signal.aborted) abandon()
    signal.addEventListener('abort', abandon, { once: true })
    try {
      return await answer
    } finally {
      signal.removeEventListener('abort', abandon)
      waiting.delete(interaction)
      changed()
    }
  }

  return {
    async ask(question, signal, again) {
      const given = again ? byGiven(question) : null
      const stored = given ?? (await byGrant(question))
      const open = again ? openAgain(question) : null
      return stored ?? (open ? null : await byRule(question)) ?? (await byPerson(question, signal, open))
    },
    async react(view) {
      for (const grant of view.grants) {
        const asked = waiting.get(grant.interaction)
        if (!asked || using.has(grant.interaction)) continue
        asked.settle(await use(grant, asked.question, grant.answer))
      }
      for (const [id, question] of Object.entries(view.open)) {
        if (question.expiresAt === null || question.expiresAt > ctx.now() || expiring.has(id)) continue
        expiring.add(id)
        const data = { interaction: id as InteractionId, answer: defaultAnswer(question.question) }
        await recorder.record({ type: 'interaction.expired', run: run.id, data })
      }
    },
    get open() {
      return waiting.size
    },
    get giving() {
      return giving > 0
    },
    onChange: (listener) => void listeners.add(listener),
    leave() {
      left = true
    },
  }
}
