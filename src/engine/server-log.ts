import type { Config } from '../model/settings/config.ts'
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
  }
}
