import type { StoreParts } from '../store.ts'
import { forgetArchived, forgettableArchived } from './archived.ts'
import { preview, remove } from './branches.ts'
import { conversations, due, nextWake, run, runs, spent, waiting } from './due.ts'
import { changeScope, environment } from './environment.ts'
import { readFold, readItems, readItemsByN, staleFolds } from './items.ts'
import { acquire, holderOf, release, releaseAll, renew, renewAll } from './leases.ts'
import { head, lastAdmitted, read, rebuild, record, settle, submit } from './log.ts'
import {
  give,
  giveAll,
  heard,
  knowsToken,
  left,
  loginKey,
  machineOfSession,
  machines,
  register,
  spacesOf,
} from './machines.ts'
import { lastNoted, note } from './notes.ts'
import type { StoreOperation } from './operation.ts'
import { addRule, interaction, interactions, moveRule, removeRule, rules } from './people.ts'
import { fileRules, placeRecord, setFileRules, setPlace } from './place-records.ts'
import { leasePort, ports, portsTaken, releasePorts } from './ports.ts'
import { search } from './search/search.ts'
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

/** Transactions that write, by part of the store. Only a name and plain arguments cross to the writer's thread. */
const WRITES = {
  tree: {
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
  },
  log: { submit, record, note, settle, rebuild, forgetArchived },
  leases: { acquire, renew, renewAll, release, releaseAll },
  people: { addRule, moveRule, removeRule },
  secrets: { put: putSecret, remove: removeSecret, reseal },
  environment: { change: changeScope },
  ports: { lease: leasePort, release: releasePorts },
  machines: { register, heard, left, give, giveAll },
} as const

/** Transactions that only read, by part of the store. */
const READS = {
  tree: {
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
  },
  log: {
    lastNoted,
    read,
    head,
    lastAdmitted,
    fold: readFold,
    items: readItems,
    itemsByN: readItemsByN,
    search,
    staleFolds,
    forgettableArchived,
    due,
    nextWake,
    runs,
    run,
    conversations,
    spent,
    waiting,
  },
  leases: { holderOf },
  people: { interaction, interactions, rules },
  secrets: { list: secrets, sealedOtherwise },
  environment: { at: environment },
  ports: { of: ports, taken: portsTaken },
  machines: { list: machines, knowsToken, loginKey, ofSession: machineOfSession, spaces: spacesOf },
} as const

/** Every method of the store has one operation with its types: the compiler names the missing ones here. */
const OPERATIONS: {
  [Part in keyof StoreParts]: { [Method in keyof StoreParts[Part]]: StoreOperation<StoreParts[Part][Method]> }
} = {
  tree: { ...WRITES.tree, ...READS.tree },
  log: { ...WRITES.log, ...READS.log },
  leases: { ...WRITES.leases, ...READS.leases },
  people: { ...WRITES.people, ...READS.people },
  secrets: { ...WRITES.secrets, ...READS.secrets },
  environment: { ...WRITES.environment, ...READS.environment },
  ports: { ...WRITES.ports, ...READS.ports },
  machines: { ...WRITES.machines, ...READS.machines },
}

/** `part.method`, as in `log.submit`. */
type NameIn<Parts> = {
  [Part in keyof Parts & string]: `${Part}.${keyof Parts[Part] & string}`
}[keyof Parts & string]
export type WriteName = NameIn<typeof WRITES>
export type ReadName = NameIn<typeof READS>

/** The way to one database engine. Each call is one transaction. */
export interface Port {
  write(name: WriteName, args: readonly unknown[]): Promise<unknown>
  read(name: ReadName, args: readonly unknown[]): Promise<unknown>
}

export function methodsOver(port: Port): StoreParts {
  const methods = (table: object, send: (name: never, args: readonly unknown[]) => Promise<unknown>, part: string) =>
    Object.keys(table).map((name) => [name, (...args: unknown[]) => send(`${part}.${name}` as never, args)])
  const parts = (Object.keys(OPERATIONS) as (keyof StoreParts)[]).map((part) => [
    part,
    Object.fromEntries([...methods(WRITES[part], port.write, part), ...methods(READS[part], port.read, part)]),
  ])
  return Object.fromEntries(parts) as StoreParts
}

/** One write that waits for its transaction. `args` passed the types of `StoreParts` before they came here. */
export interface Write {
  readonly name: WriteName
  readonly args: readonly unknown[]
}

/** Runs several writes in one transaction, in order. Returns their results. Writes workspace lines once for all. */
export async function runWrites(tx: Tx, writes: readonly Write[]): Promise<unknown[]> {
  const results: unknown[] = []
  for (const { name, args } of writes) results.push(await runNamed(tx, name, args))
  await writeLines(tx)
  return results
}

export const runRead = (tx: Tx, name: ReadName, args: readonly unknown[]): Promise<unknown> => runNamed(tx, name, args)

function runNamed(tx: Tx, name: WriteName | ReadName, args: readonly unknown[]): Promise<unknown> {
  const [part, method] = name.split('.') as [keyof StoreParts, string]
  const operations = OPERATIONS[part] as unknown as Readonly<Record<string, Untyped>>
  return (operations[method] as Untyped)(tx, args)
}

type Untyped = (tx: Tx, args: readonly unknown[]) => Promise<unknown>

export interface StoreCounts {
  readonly sessions: number
  readonly events: number
  readonly schema: number
}

export async function counts(tx: Tx): Promise<StoreCounts> {
  const row = await tx.get<StoreCounts>(
    `select (select count(*) from sessions) as sessions, (select count(*) from events) as events,
       (select max(version) from schema_versions) as schema`,
  )
  return { sessions: row?.sessions ?? 0, events: row?.events ?? 0, schema: row?.schema ?? 0 }
}
