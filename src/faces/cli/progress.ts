import type { ReportProgress } from '../../model/upgrade.ts'
import type { Cli } from './cli.ts'

/** Shows progress on one line of a terminal, and nothing to programs. */
export function progressOf({ term }: Pick<Cli, 'term'>): ReportProgress {
  let last = ''
  return (what, done, of) => {
    if (!term.interactive) return
    const text = of === null ? `${what}: ${done}` : `${what}: ${Math.floor((100 * done) / Math.max(1, of))} %`
    if (text !== last) term.aside(`\r\x1b[K${text}`)
    last = text
  }
}

/** Like `progressOf`, but prints one line a stage without a terminal, for example in the log of a service. */
export function stagesOf({ term }: Pick<Cli, 'term'>): ReportProgress {
  let last = ''
  return (what, done, of) => {
    const percent = of === null || of === 0 ? '' : ` ${Math.floor((100 * done) / of)} %`
    const text = term.interactive ? `${what}${percent}` : what
    if (text === last) return
    last = text
    if (term.interactive) term.aside(`\r\x1b[K${text}`)
    else term.note(`${text.charAt(0).toUpperCase()}${text.slice(1)}${done === of ? '.' : '...'}`)
  }
}

export const clearProgress = ({ term }: Pick<Cli, 'term'>): void =>
  term.interactive ? term.aside('\r\x1b[K') : undefined
