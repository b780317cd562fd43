import { useEffect, useRef } from 'react'
import { isTyping } from '../ui/keys.ts'
import type { Column } from './columns.ts'
import type { Marks } from './use-marks.ts'

/** Keys of the board: arrows move from card to card, x selects, Escape clears the selection. */
export function useBoardKeys(columns: readonly Column[], marks: Marks): void {
  const latest = useRef({ columns, marks })
  useEffect(() => {
    latest.current = { columns, marks }
  })
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      // A checkbox takes no text, so the keys of the board stay active there.
      const tick = (event.target as HTMLElement).matches('input[type="checkbox"]')
      if (tick ? event.ctrlKey || event.metaKey || event.altKey : isTyping(event)) return
      const here = cardAt(event.target as HTMLElement)
      if (event.key === 'Escape') return latest.current.marks.clear()
      if (event.key === 'x' && here) latest.current.marks.toggle(here)
      else if (!event.key.startsWith('Arrow')) return
      else if (!focusCard(next(latest.current.columns, here, event.key))) return
      event.preventDefault()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

const cardAt = (element: HTMLElement): string | null =>
  element.closest('.board-card')?.querySelector<HTMLElement>('[data-card]')?.getAttribute('data-card') ?? null

function focusCard(id: string | null): boolean {
  const card = id === null ? null : document.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`)
  card?.focus()
  return card !== null
}

/** Returns the card that an arrow key leads to: sideways at about the same height of the next column with cards. */
function next(columns: readonly Column[], here: string | null, key: string): string | null {
  const rows = columns
    .map(({ cards }) => cards.map(({ session }) => session.id as string))
    .filter(({ length }) => length > 0)
  const column = rows.findIndex((ids) => here !== null && ids.includes(here))
  if (column < 0) return rows[0]?.[0] ?? null
  const row = rows[column]!.indexOf(here!)
  if (key === 'ArrowDown') return rows[column]![row + 1] ?? null
  if (key === 'ArrowUp') return rows[column]![row - 1] ?? null
  const beside = rows[column + (key === 'ArrowRight' ? 1 : -1)]
  return beside?.[Math.min(row, beside.length - 1)] ?? null
}
