import type { RollbackLoss } from '../../model/upgrade.ts'
import { readCatalog } from '../sql/migrations/catalog.ts'
import type { Tx } from '../sql/tx.ts'
import type { Copy } from './copies.ts'

/** The tables and conditions of rows that were written after `$1`. */
const WRITTEN: Readonly<Record<keyof RollbackLoss, readonly [table: string, from: string]>> = {
  workspaces: ['workspaces', 'workspaces where created_at > $1'],
  spaces: ['spaces', 'spaces where created_at > $1'],
  projects: ['projects', 'projects where created_at > $1'],
  sessions: ['sessions', 'sessions where created_at > $1'],
  sessionsChanged: [
    'sessions',
    'sessions s where created_at <= $1 and exists (select 1 from events e where e.session = s.id and e.at > $1)',
  ],
  events: ['events', 'events where at > $1'],
  prompts: ['events', `events where at > $1 and type = 'prompt.requested'`],
  runs: ['runs', 'runs where admitted_at > $1'],
  questions: ['interactions', 'interactions where opened_at > $1 or answered_at > $1'],
  rules: ['rules', 'rules where created_at > $1'],
  secrets: ['secrets', 'secrets where updated_at > $1'],
  settings: ['environment', 'environment where updated_at > $1'],
}

/** Counts the rows written after `at` (ms since 1970). Going back to a copy of that time would lose them. */
export async function measureLoss(tx: Tx, at: number): Promise<RollbackLoss> {
  const { relations } = await readCatalog(tx)
  const loss: Partial<Record<keyof RollbackLoss, number>> = {}
  for (const [kind, [table, from]] of Object.entries(WRITTEN)) {
    const there = relations.some(({ name }) => name === table)
    const row = there ? await tx.get<{ n: number }>(`select count(*) as n from ${from}`, at) : undefined
    loss[kind as keyof RollbackLoss] = row?.n ?? 0
  }
  return loss as RollbackLoss
}

/** The effect of going back to a copy. `loss` is null without a present database. */
export interface BackPreview {
  readonly copy: Copy
  readonly present: number | null
  readonly loss: RollbackLoss | null
}

export interface BackDone {
  readonly copy: Copy
  /** The copy of the data before; null without data. */
  readonly aside: Copy | null
}
