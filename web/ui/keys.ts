import type { Question } from '../../src/model/interaction.ts'

/** The key that makes a letter a command, as this machine's keyboard names it. */
export const COMMAND_KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘' : 'Ctrl'

const FIELDS = 'input, textarea, select, [contenteditable], [role="menu"], [role="listbox"], [role="dialog"]'

/**
 * Whether a key belongs to a field or to a shortcut of the browser, and so is none of ours.
 * @param dialog the dialog whose own key it would be
 */
export function isTyping(event: KeyboardEvent, dialog: Element | null = null): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true
  const field = (event.target as HTMLElement | null)?.closest(FIELDS) ?? null
  return field !== dialog
}

/** Presses the button of the option that a digit names, on the card of the question; that card tells what came of it. */
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
