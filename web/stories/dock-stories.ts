import type { SessionData } from '../data/session-data.ts'
import { ADA, story, tail } from './story-log.ts'

/** What stands below the transcript, in each state a session can be in, by title. */
export function dockStories(now: number): Readonly<Record<string, SessionData>> {
  const idle = story(now - 60_000)
  idle.ask('Done already.')
  idle.update('usage_update', { used: 18_400, size: 200_000, cost: { amount: 0.12, currency: 'USD' } })
  idle.end('completed')
  const running = story(now - 60_000)
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
  const waiting = story(now - 60_000)
  waiting.ask('Ask me.')
  waiting.question({ kind: 'choice', title: 'Go on?', options: [{ id: 'yes', label: 'Yes' }] })
  const stopping = story(now - 60_000)
  stopping.ask('Stop.')
  stopping.add('cancel.requested', { run: `run_${tail(1)}`, by: ADA })
  const closed = story(now - 60_000)
  closed.add('session.closed', { reason: 'Somebody closed it.' })
  return {
    'Below: at rest': idle.data(),
    'Below: running, with a queue': running.data(),
    'Below: waits for an answer': waiting.data(),
    'Below: stopping': stopping.data(),
    'Below: closed': closed.data(),
  }
}
