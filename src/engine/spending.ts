import type { SettingsScope } from '../model/settings/environment.ts'
import { addSpent, type Meter, NOTHING_SPENT, type Spent } from '../model/settings/spending.ts'

/** The session whose work is counted, with its scopes. */
export interface SpentBy extends SettingsScope {
  readonly session: string
}

/**
 * Amounts that turns under way on this node have used. Logs contain an amount only after its turn is parked or ended,
 * so turns under way on other nodes are unknown here.
 */
export class Spending {
  readonly #turns = new Set<{ by: SpentBy; spent: () => Spent }>()

  /** Counts a turn. Call the returned function before its amounts are written, so that nothing counts twice. */
  begin(by: SpentBy, spent: () => Spent): () => void {
    const turn = { by, spent }
    this.#turns.add(turn)
    return () => void this.#turns.delete(turn)
  }

  under(of: Meter['of'], by: SpentBy): Spent {
    const below = [...this.#turns].filter((turn) => of !== 'run' && turn.by[of] === by[of])
    return below.reduce((sum, { spent }) => addSpent(sum, spent()), NOTHING_SPENT)
  }
}
