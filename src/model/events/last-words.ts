import type { RunId } from '../ids.ts'
import type { Item } from './items.ts'

/** Kinds of items that may stand between parts of one message. */
const BESIDE: readonly Item['kind'][] = ['thought', 'notice', 'raw', 'files', 'act']

/**
 * Collects the last words of a run: its last messages, whatever comes behind them. Afterwords and other runs do not count.
 * @param items of the session, newest first; a part of them, as long as `done` is false for it
 */
export function lastWords(
  items: Iterable<Item>,
  run: RunId,
): { readonly text: string | null /** No older item changes the text. */; readonly done: boolean } {
  const texts: string[] = []
  const found = (done: boolean) => ({ text: texts.length > 0 ? texts.join('') : null, done })
  for (const item of items) {
    if (item.run !== run || item.afterword) continue
    if (item.kind === 'message' && item.role === 'agent') texts.unshift(item.text)
    else if (item.kind === 'run' || (texts.length > 0 && !BESIDE.includes(item.kind))) return found(true)
  }
  return found(false)
}
