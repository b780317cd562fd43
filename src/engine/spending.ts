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
export interface Spending {
  /** Counts a turn. Call the returned function before its amounts are written, so that nothing counts twice. */
  begin(by: SpentBy, spent: () => Spent): () => void
  under(of: Meter['of'], by: SpentBy): Spent
}

export function createSpending(): Spending {
  const turns = new Set<{ by: SpentBy; spent: () => Spent }>()
  return {
    begin(by, spent) {
      const turn = { by, spent }
      turns.add(turn)
      return () => void turns.delete(turn)
    },
    under: (of, by) =>
      [...turns]
        .filter((turn) => of !== 'run' && turn.by[of] === by[of])
        .reduce((sum, { spent }) => addSpent(sum, spent()), NOTHING_SPENT),
  }
}
