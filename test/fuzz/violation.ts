/** A promise that did not hold. `rule` names the check, so that a shorter story can fail in the same way. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.rule = rule
  }
}

export function check(holds: boolean, rule: string, message: () => string): asserts holds {
  if (!holds) throw new Violation(rule, message())
}

/** Shortens a list for a message. */
export const some = (list: Iterable<string>): string => [...list].slice(0, 8).join(', ')
