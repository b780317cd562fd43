/** The operator's log. Texts never contain secrets, prompts or output of agents. */
export interface Log {
  error(text: string, detail?: unknown): void
  warn(text: string, detail?: unknown): void
  info(text: string): void
}
