import type { PausedData } from '../../api/admin.ts'
import type { WaitingWork } from '../../model/binding.ts'
import type { Terminal } from './terminal.ts'

/** Says how much work waits in a paused data folder, or begins now. */
export function waitingLine({ prompts, runs, questions }: WaitingWork, begins: boolean): string {
  const amounts = [
    [prompts, 'queued prompt'],
    [runs, 'unfinished run'],
    [questions, 'open question'],
  ] as const
  const parts = amounts.flatMap(([count, noun]) => (count > 0 ? [`${count} ${noun}${count === 1 ? '' : 's'}`] : []))
  return `${begins ? 'Goes on here' : 'Waiting'}: ${parts.join(', ') || 'no work'}.`
}

/** Writes that the data folder is paused, to stderr. */
export function notePaused(term: Terminal, paused: PausedData | null | undefined): void {
  // A server of an earlier version says nothing about it.
  if (!paused) return
  term.note(term.asideColor.yellow(`Paused: nothing runs here. ${paused.text}`))
  term.note(`${waitingLine(paused.waiting, false)} To let this one go on: \`carrel unpause\`.`)
}
