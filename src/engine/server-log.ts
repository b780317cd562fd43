import type { Config } from '../model/settings/config.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

/** Returns a log that writes lines of `level` and above to stderr. `now`: ms since 1970. */
export function createServerLog(level: Config['logLevel'], now: () => number): Log {
  const most = LEVELS.indexOf(level)
  const write = (name: (typeof LEVELS)[number], text: string, detail?: unknown) => {
    if (LEVELS.indexOf(name) > most) return
    const more = detail instanceof Error ? `\n${detail.stack ?? detail.message}` : ''
    process.stderr.write(`${new Date(now()).toISOString()} ${name} ${text}${more}\n`)
  }
  return {
    error: (text, detail) => write('error', text, detail),
    warn: (text, detail) => write('warn', text, detail),
    info: (text) => write('info', text),
    debug: (text) => write('debug', text),
  }
}

/** Events of a session that an operator looks for. All others are for debugging. */
const MILESTONES: ReadonlySet<string> = new Set([
  'prompt.requested',
  'run.admitted',
  'run.started',
  'run.parked',
  'run.ended',
  'interaction.opened',
  'interaction.answered',
  'close.requested',
])
/** Fields of events that hold ids or words of Carrel, never text of people or agents. */
const NAMED = ['prompt', 'run', 'interaction', 'agent', 'outcome']

interface Told {
  readonly type: string
  readonly data: object
}

/** Wraps a store so that the log has a line for each event that this process wrote to a session. */
export function tellingStore(store: Store, log: Pick<Log, 'info' | 'debug'>): Store {
  const tell = (session: string, events: readonly Told[]) => {
    for (const { type, data } of events) {
      const fields = data as Readonly<Record<string, unknown>>
      const named = NAMED.flatMap((key) => (typeof fields[key] === 'string' ? [` ${fields[key]}`] : []))
      log[MILESTONES.has(type) ? 'info' : 'debug'](`${session} ${type}${named.join('')}`)
    }
  }
  return {
    ...store,
    log: {
      ...store.log,
      async submit(workspace, session, request, options) {
        const submitted = await store.log.submit(workspace, session, request, options)
        tell(session, [request, ...(submitted.began ? (options.begins?.outcomes ?? []) : [])])
        return submitted
      },
      async record(right, session, batch, now) {
        const recorded = await store.log.record(right, session, batch, now)
        tell(session, batch.outcomes)
        return recorded
      },
    },
  }
}
