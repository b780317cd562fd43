import { recall, remember } from '../data/memory.ts'
import { type Cell, createCell } from '../ui/cell.ts'

/** A comment on one line of a diff, until it is sent to the agent. */
export interface Remark {
  readonly path: string
  /** The line's name within the diff, such as I12, D12 or N12. */
  readonly line: string
  readonly number: number
  /** The line was removed. */
  readonly gone: boolean
  readonly quote: string
  readonly text: string
}

const cells = new Map<string, Cell<readonly Remark[]>>()

/** The comments of a session. Like a draft they survive a reload. */
export function remarksOf(session: string): Cell<readonly Remark[]> {
  const known = cells.get(session)
  if (known) return known
  const made = createCell(read(session))
  cells.set(session, made)
  return made
}

function read(session: string): readonly Remark[] {
  try {
    const stored = JSON.parse(recall(`remarks.${session}`) ?? '[]') as unknown
    return Array.isArray(stored) ? (stored as Remark[]) : []
  } catch {
    return []
  }
}

function keep(session: string, remarks: readonly Remark[]): void {
  remarksOf(session).set(remarks)
  remember(`remarks.${session}`, remarks.length > 0 ? JSON.stringify(remarks) : null)
}

const same = (a: Pick<Remark, 'path' | 'line'>, b: Pick<Remark, 'path' | 'line'>): boolean =>
  a.path === b.path && a.line === b.line

/** Sets the comment on a line. An empty text removes it. */
export function setRemark(session: string, remark: Remark): void {
  const others = remarksOf(session)
    .get()
    .filter((each) => !same(each, remark))
  keep(session, remark.text.trim() === '' ? others : [...others, remark])
}

/** Removes sent comments. Comments that changed in the meantime stay. */
export function dropRemarks(session: string, sent: readonly Remark[]): void {
  const left = remarksOf(session)
    .get()
    .filter((each) => !sent.includes(each))
  keep(session, left)
}

/** Returns a code fence that the quote cannot close. */
function quoted(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
}

/** Returns the comments as a prompt, by path and line, each with its quoted line. `gone`: text for a removed line. */
export function promptOf(remarks: readonly Remark[], gone: string): string {
  return remarks
    .toSorted((a, b) => (a.path === b.path ? a.number - b.number : a.path < b.path ? -1 : 1))
    .map(({ path, number, gone: went, quote, text }) => {
      const where = `${path}:${number}${went ? ` (${gone})` : ''}`
      return `${where}\n${quoted(quote)}\n${text.trim()}`
    })
    .join('\n\n')
}
