import { type Event, parseEvent } from '../../src/model/events/events.ts'
import { foldAll } from '../../src/model/events/fold.ts'
import type { Item } from '../../src/model/events/items.ts'
import { emptyView } from '../../src/model/events/view.ts'
import { SessionId } from '../../src/model/ids.ts'
import type { SessionData } from '../data/session-data.ts'

export const tail = (n: number): string => String(n).padStart(26, '0')
const SESSION = SessionId.parse(`ses_${tail(1)}`)
export const ADA = { name: 'Ada', kind: 'person', face: 'web' } as const
export const PROJECT = `prj_${tail(1)}`
export const ROOT = '/home/ada/garden'

interface Line {
  readonly type: string
  readonly run: string | null
  readonly data: unknown
}

/** Builds the log of an example session, one method for each kind of event. Each event is `stepMs` after the last. */
export function sessionExample(startAt: number, stepMs = 1_500) {
  const lines: Line[] = []
  let run = 0
  let questions = 0
  const runId = () => `run_${tail(run)}`
  const add = (type: string, data: unknown): void => void lines.push({ type, run: run > 0 ? runId() : null, data })
  const update = (sessionUpdate: string, more: object): void =>
    add('agent.update', { acp: 1, agent: 'scripted', update: { sessionUpdate, ...more } })
  return {
    add,
    update,
    ask(text: string, blocks: readonly object[] = []) {
      run += 1
      const prompt = `pmt_${tail(run)}`
      const content = [{ type: 'text', text }, ...blocks]
      add('prompt.requested', { prompt, content, agent: 'scripted', busy: 'queue', by: ADA })
      const place = { kind: 'direct', path: ROOT }
      add('run.admitted', { run: runId(), prompt, agent: 'scripted', place, budgetMs: null })
      add('run.started', { run: runId(), acpSession: 'example' })
    },
    say: (text: string) => update('agent_message_chunk', { content: { type: 'text', text } }),
    think: (text: string) => update('agent_thought_chunk', { content: { type: 'text', text } }),
    tool: (title: string, kind: string, status: string, more: object = {}) =>
      update('tool_call', { toolCallId: `call-${lines.length}`, title, kind, status, ...more }),
    question(question: object, expiresAt: number | null = null): string {
      questions += 1
      const interaction = `int_${tail(questions)}`
      const blank = { body: null, options: [], toolCallId: null, toolKind: null, paths: [], command: null }
      add('interaction.opened', {
        interaction,
        run: runId(),
        agent: 'scripted',
        question: { ...blank, ...question },
        fingerprint: interaction,
        expiresAt,
      })
      return interaction
    },
    end: (outcome: string, more: object = {}) =>
      add('run.ended', {
        run: runId(),
        outcome,
        stopReason: 'end_turn',
        usage: null,
        error: null,
        halfDone: [],
        ...more,
      }),
    /** Returns the session that the shared fold makes of the events. */
    data(): SessionData {
      const events = lines.map(
        (line, at): Event => parseEvent({ session: SESSION, seq: at + 1, at: startAt + at * stepMs, ...line }),
      )
      const items = new Map<number, Item>()
      const { view } = foldAll(emptyView(SESSION), events, items)
      const sorted = [...items.values()].sort((a, b) => a.n - b.n)
      return { id: SESSION, view, items: sorted, head: null, more: false, caughtUp: true, ended: false, since: null }
    },
  }
}

export const textPart = (text: string) => ({ type: 'content', content: { type: 'text', text } })
