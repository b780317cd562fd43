import type { Cli } from './cli.ts'

/** How far something is, for a person who waits; `of` is null where nobody knows. */
export type Progress = (what: string, done: number, of: number | null) => void

/** Shows progress on one line of a terminal. Programs see nothing of it. */
export function progressOf({ term }: Pick<Cli, 'term'>): Progress {
  let last = ''
  return (what, done, of) => {
    if (!term.interactive) return
    const text = of === null ? `${what}: ${done}` : `${what}: ${Math.floor((100 * done) / Math.max(1, of))} %`
    if (text !== last) term.aside(`\r\x1b[K${text}`)
    last = text
  }
}

/** As `progressOf`; where nobody sits at a terminal, as in the log of a service, each stage is a line. */
export function stagesOf({ term }: Pick<Cli, 'term'>): Progress {
  let last = ''
  return (what, done, of) => {
    const percent = of === null || of === 0 ? '' : ` ${Math.floor((100 * done) / of)} %`
    const text = term.interactive ? `${what}${percent}` : what
    if (text === last) return
    last = text
    if (term.interactive) term.aside(`\r\x1b[K${text}`)
    else term.note(`${text.charAt(0).toUpperCase()}${text.slice(1)}${done === of ? '.' : ' ...'}`)
  }
}

export const clearProgress = ({ term }: Pick<Cli, 'term'>): void =>
  term.interactive ? term.aside('\r\x1b[K') : undefined
