import type { SettingsScope } from '../../model/environment.ts'
import { addSpent, type Meter, NOTHING_SPENT, type Spent } from '../../model/spending.ts'

/** Whose work it is, from far to near. */
export interface SpentBy extends SettingsScope {
  readonly session: string
}

/**
 * What the turns under way on this node have used: it stands in no log before they pause or end. Of turns on other
 * nodes nothing is known until then.
 */
export interface Spending {
  /** @returns what takes it out again; to be called before what was spent is written. */
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
