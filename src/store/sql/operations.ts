import { forgetArchived, forgettableArchived } from './archived.ts'
import { preview, remove } from './branches.ts'
import { due, nextWake, run, runs, spent } from './due.ts'
import { changeScope, environment } from './environment.ts'
import { readFold, readItems, readItemsByN, staleFolds } from './items.ts'
import { acquire, holderOf, release, releaseAll, renew, renewAll } from './leases.ts'
import { head, lastAdmitted, read, rebuild, record, settle, submit } from './log.ts'
import { lastNoted, note } from './notes.ts'
import { addRule, interaction, interactions, moveRule, removeRule, rules } from './people.ts'
import { fileRules, placeRecord, setFileRules, setPlace } from './place-records.ts'
import { leasePort, ports, portsTaken, releasePorts } from './ports.ts'
import { search } from './search.ts'
import { putSecret, removeSecret, reseal, sealedOtherwise, secrets } from './secrets.ts'
import { createSession, forkSession, session, sessions, updateSession } from './sessions.ts'
import {
  createProject,
  createSpace,
  createWorkspace,
  folders,
  project,
  projects,
  space,
  spaces,
  updateProject,
  updateSpace,
  updateWorkspace,
  workspace,
  workspaces,
} from './tree.ts'
import type { Tx } from './tx.ts'
import { readWorkspace, workspaceHead, writeLines } from './workspace-lines.ts'

/** Transactions that write, by name: what crosses to the writer's thread is the name and plain arguments. */
export const WRITES = {
  submit,
  record,
  settle,
  rebuild,
  note,
  acquire,
  renew,
  renewAll,
  release,
  releaseAll,
  createWorkspace,
  updateWorkspace,
  createSpace,
  updateSpace,
  createProject,
  updateProject,
  setPlace,
  setFileRules,
  createSession,
  forkSession,
  updateSession,
  remove,
  addRule,
  moveRule,
  removeRule,
  putSecret,
  removeSecret,
  reseal,
  changeScope,
  leasePort,
  releasePorts,
  forgetArchived,
} as const

export const READS = {
  read,
  head,
  lastAdmitted,
  fold: readFold,
  items: readItems,
  itemsByN: readItemsByN,
  staleFolds,
  search,
  due,
  nextWake,
  lastNoted,
  runs,
  run,
  spent,
  holderOf,
  workspaces,
  workspace,
  spaces,
  space,
  folders,
  projects,
  project,
  placeRecord,
  fileRules,
  session,
  sessions,
  preview,
  readWorkspace,
  workspaceHead,
  interaction,
  interactions,
  rules,
  secrets,
  sealedOtherwise,
  environment,
  ports,
  portsTaken,
  forgettableArchived,
  counts,
} as const

async function counts(tx: Tx): Promise<{ sessions: number; events: number; schema: number }> {
  const row = await tx.get<{ sessions: number; events: number; schema: number }>(
    `select (select count(*) from sessions) as sessions, (select count(*) from events) as events,
       (select max(version) from schema_versions) as schema`,
  )
  return { sessions: row?.sessions ?? 0, events: row?.events ?? 0, schema: row?.schema ?? 0 }
}

type Named<Table> = { [Name in keyof Table]: Table[Name] }
type ArgsOf<F> = F extends (tx: Tx, args: infer Args) => unknown ? Args : never
type ResultOf<F> = F extends (...args: never[]) => Promise<infer Result> ? Result : never

export type WriteName = keyof Named<typeof WRITES>
export type ReadName = keyof Named<typeof READS>
export type WriteArgs<Name extends WriteName> = ArgsOf<(typeof WRITES)[Name]>
export type WriteResult<Name extends WriteName> = ResultOf<(typeof WRITES)[Name]>
export type ReadArgs<Name extends ReadName> = ArgsOf<(typeof READS)[Name]>
export type ReadResult<Name extends ReadName> = ResultOf<(typeof READS)[Name]>

/** One engine, as the store's methods need it. */
export interface Port {
  write<Name extends WriteName>(name: Name, args: WriteArgs<Name>): Promise<WriteResult<Name>>
  read<Name extends ReadName>(name: Name, args: ReadArgs<Name>): Promise<ReadResult<Name>>
}

/** One named transaction that is asked for. */
export interface Write {
  readonly name: WriteName
  readonly args: unknown
}

/**
 * Runs named transactions as one, in their order, and returns what each answers. What they tell workspaces is written
 * once for all of them. What comes in here came through the types of `Port`.
 */
export async function runWrites(tx: Tx, writes: readonly Write[]): Promise<unknown[]> {
  const results: unknown[] = []
  for (const { name, args } of writes) {
    results.push(await (WRITES[name] as (tx: Tx, args: unknown) => Promise<unknown>)(tx, args))
  }
  await writeLines(tx)
  return results
}

export function runRead(tx: Tx, name: ReadName, args: unknown): Promise<unknown> {
  return (READS[name] as (tx: Tx, args: unknown) => Promise<unknown>)(tx, args)
}
