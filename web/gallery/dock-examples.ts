import type { SessionData } from '../data/session-data.ts'
import { ADA, sessionExample, tail } from './example-log.ts'

/** The parts below the transcript in each state of a session, by title. */
export function dockExamples(now: number): Readonly<Record<string, SessionData>> {
  const idle = sessionExample(now - 60_000)
  idle.ask('Done already.')
  idle.update('usage_update', { used: 18_400, size: 200_000, cost: { amount: 0.12, currency: 'USD' } })
  idle.end('completed')
  const running = sessionExample(now - 60_000)
  running.ask('Work on.')
  for (const [at, text] of ['Then the next one.', 'And after that the one with the long text. '.repeat(8)].entries()) {
    const content = [{ type: 'text', text }]
    running.add('prompt.requested', {
      prompt: `pmt_${tail(50 + at)}`,
      content,
      agent: 'scripted',
      busy: 'queue',
      by: ADA,
    })
  }
  const waiting = sessionExample(now - 60_000)
  waiting.ask('Ask me.')
  waiting.question({ kind: 'choice', title: 'Go on?', options: [{ id: 'yes', label: 'Yes' }] })
  const stopping = sessionExample(now - 60_000)
  stopping.ask('Stop.')
  stopping.add('cancel.requested', { run: `run_${tail(1)}`, by: ADA })
  const closed = sessionExample(now - 60_000)
  closed.add('session.closed', { reason: 'Somebody closed it.' })
  return {
    'Below: at rest': idle.data(),
    'Below: running, with a queue': running.data(),
    'Below: waits for an answer': waiting.data(),
    'Below: stopping': stopping.data(),
    'Below: closed': closed.data(),
  }
}
