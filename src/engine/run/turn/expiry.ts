import type { OpenQuestion } from '../../../model/events/view.ts'
import type { Basics } from '../../basics.ts'

/** People can see an open question for this long after a start or a sleep of the server, before it expires. ms. */
const SEEN_MS = 600_000

/** Returns when a question expires, ms since 1970; null for never. Time asleep does not count (S6). */
export function expiryOf(
  { awake }: Pick<Basics, 'awake'>,
  { openedAt, expiresAt }: Pick<OpenQuestion, 'openedAt' | 'expiresAt'>,
): number | null {
  if (expiresAt === null) return null
  const due = expiresAt + awake.sleptSince(openedAt)
  const wokeAt = awake.wokeAt()
  return openedAt < wokeAt ? Math.max(due, wokeAt + SEEN_MS) : due
}
