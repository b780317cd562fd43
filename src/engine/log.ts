/** The operator's log. Texts never contain secrets, prompts or output of agents. */
export interface Log {
  error(text: string, detail?: unknown): void
  warn(text: string, detail?: unknown): void
  /** Lines about sessions and the server that an operator looks for. */
  info(text: string): void
  /** Each event and each request. */
  debug(text: string): void
}
