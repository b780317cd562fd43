import type { Question } from '../../src/model/interaction.ts'

/** The command key as this machine's keyboard names it. */
export const COMMAND_KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl'

const FIELDS = 'input, textarea, select, [contenteditable], [role="menu"], [role="listbox"], [role="dialog"]'

/**
 * Returns whether a key belongs to a field or to the browser, so that no shortcut may take it.
 * @param dialog the dialog that handles the key itself
 */
export function isTyping(event: KeyboardEvent, dialog: Element | null = null): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true
  const field = (event.target as HTMLElement | null)?.closest(FIELDS) ?? null
  return field !== dialog
}

/** Clicks the option that a digit names, on the card of the question. The card shows the result. */
export function answerByKey(
  event: KeyboardEvent,
  interaction: string,
  question: Question,
  dialog: Element | null = null,
): void {
  if (isTyping(event, dialog) || !/^[1-9]$/.test(event.key)) return
  if (!question.options[Number(event.key) - 1]) return
  event.preventDefault()
  const card = `[data-answer="${interaction}:${event.key}"]`
  ;(dialog ?? document).querySelector<HTMLButtonElement>(card)?.click()
}
