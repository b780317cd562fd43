import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { typeid } from 'typeid-js'
import type { Outcome, Request } from '../src/model/events/events.ts'
import type { ProjectId, PromptId, RunId, SessionId, SpaceId, WorkspaceId } from '../src/model/ids.ts'
import { directPlace, type Session } from '../src/model/tree.ts'
import type { Lease } from '../src/store/lease.ts'
import { openSqlite } from '../src/store/sqlite/sqlite.ts'
import type { Store } from '../src/store/store.ts'
import { dropFolder, tempFolder } from './children.ts'
import { type Result, timesTheirs } from './figures.ts'
import { openOurs, openTheirs, type Subject, type Writer } from './subjects.ts'

export interface Effort {
  readonly rounds: number
  /** How long one round lasts. ms. */
  readonly roundMs: number
  /** Numbers of files in the trees whose history is measured. */
  readonly trees: readonly number[]
}

/** Both servers and the caller get so long to become as fast as they will be. ms. */
const WARM_MS = 2_000
const TEXT = 'x'.repeat(100)
const LOADS = [
  { kind: 'one', streams: 1, callers: 1 },
  { kind: 'shared', streams: 1, callers: 64 },
  { kind: 'many', streams: 64, callers: 64 },
] as const

/** Durable appends per second over HTTP, of one caller and of 64 on one stream, and of 64 on 64. Each waits for its own answers. */
export async function measureAppends({ rounds, roundMs }: Effort): Promise<Result[]> {
  const ours = await openOurs()
  const theirs = await openTheirs()
  const folder = tempFolder('disk')
  const disk: number[] = []
  const figures = Object.fromEntries(LOADS.map(({ kind }) => [kind, { ours: [], theirs: [] }])) as unknown as Record<
    (typeof LOADS)[number]['kind'],
    Record<'ours' | 'theirs', number[]>
  >
  try {
    // Code that has not run yet is slow, in both.
    for (const subject of [ours, theirs]) await appendsPerSecond(subject, { streams: 16, callers: 16 }, WARM_MS)
    for (let round = 0; round < rounds; round += 1) {
      disk.push(flushesPerSecond(join(folder, 'raw'), roundMs / 2))
      for (const load of LOADS) {
        figures[load.kind].ours.push(await appendsPerSecond(ours, load, roundMs))
        figures[load.kind].theirs.push(await appendsPerSecond(theirs, load, roundMs))
      }
    }
  } finally {
    await ours.close()
    await theirs.close()
    dropFolder(folder)
  }
  const ofDisk = (whose: 'ours' | 'theirs') =>
    figures.one[whose].map((rate, round) => (100 * rate) / (disk[round] ?? Number.NaN))
  const note =
    'ours is `sessions.prompt` with `wait: accepted` on a node that runs nothing, theirs a POST of about the same size'
  return [
    {
      name: 'disk alone: write and fdatasync',
      unit: '/s',
      ours: disk,
      theirs: [],
      note: 'what one caller alone can have at best',
    },
    { name: 'appends over HTTP, 1 stream', unit: '/s', ...figures.one, target: timesTheirs(10), note },
    {
      name: 'appends over HTTP, 1 stream: of the disk alone',
      unit: '%',
      ours: ofDisk('ours'),
      theirs: ofDisk('theirs'),
      note: 'in the same round; a caller who waits for each flush cannot be faster than 100 %',
    },
    {
      name: 'appends over HTTP, 1 stream, 64 callers',
      unit: '/s',
      ...figures.shared,
      target: timesTheirs(10),
      note: 'what one stream takes when nobody has to wait for the answer to somebody else',
    },
    { name: 'appends over HTTP, 64 streams', unit: '/s', ...figures.many, target: timesTheirs(10) },
  ]
}

async function appendsPerSecond(
  subject: Subject,
  { streams, callers }: { readonly streams: number; readonly callers: number },
  ms: number,
): Promise<number> {
  const made: string[] = []
  for (let count = 0; count < streams; count += 1) made.push(await subject.make())
  const writers: Writer[] = []
  for (let count = 0; count < callers; count += 1) writers.push(await subject.writer(made[count % streams] ?? ''))
  try {
    return await perSecond(callers, ms, (index) => writers[index]?.append(TEXT))
  } finally {
    for (const writer of writers) writer.close()
  }
}

/** How often per second `act` is done by `callers` at once, each beginning anew when it is answered. */
async function perSecond(
  callers: number,
  ms: number,
  act: (caller: number) => Promise<unknown> | undefined,
): Promise<number> {
  const began = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (performance.now() - began < ms) {
        await act(caller)
        done += 1
      }
    }),
  )
  return (done * 1000) / (performance.now() - began)
}

const WORKSPACE = 'default' as WorkspaceId
const IDLE = {
  state: 'idle',
  questions: 0,
  queued: 0,
  agent: 'scripted',
  lastRun: null,
  changed: 0,
  closedAt: null,
} as const

/** The embedded store without server and network. */
export async function measureStore({ rounds, roundMs }: Effort): Promise<Result[]> {
  const folder = tempFolder('store')
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const figures: Record<'submit' | 'many' | 'single' | 'batch', number[]> = {
    submit: [],
    many: [],
    single: [],
    batch: [],
  }
  try {
    const { space, project } = await plant(store, folder)
    for (let round = 0; round < rounds; round += 1) {
      const sessions = await Promise.all(Array.from({ length: 64 }, () => addSession(store, space, project)))
      const [first = '' as SessionId] = sessions
      const lease = (await store.leases.acquire(`session:${first}`, 'bench', 600_000, Date.now())) as Lease
      figures.submit.push(await perSecond(1, roundMs, () => submit(store, first)))
      figures.many.push(await perSecond(64, roundMs, (caller) => submit(store, sessions[caller] ?? first)))
      figures.single.push(await perSecond(1, roundMs, () => record(store, lease, first, 1)))
      figures.batch.push(100 * (await perSecond(1, roundMs, () => record(store, lease, first, 100))))
    }
  } finally {
    await store.close()
    dropFolder(folder)
  }
  const line = (name: string, ours: number[]): Result => ({ name, unit: '/s', ours, theirs: [] })
  return [
    line('store alone: submit, 1 caller', figures.submit),
    line('store alone: submit, 64 callers', figures.many),
    line('store alone: record, batches of 1', figures.single),
    line('store alone: record, batches of 100 (events)', figures.batch),
  ]
}

function flushesPerSecond(path: string, ms: number): number {
  const file = openSync(path, 'a')
  const bytes = Buffer.alloc(512, 120)
  const began = performance.now()
  let done = 0
  while (performance.now() - began < ms) {
    writeSync(file, bytes)
    fdatasyncSync(file)
    done += 1
  }
  closeSync(file)
  return (done * 1000) / (performance.now() - began)
}

/** A workspace with one project, made in the store itself. */
export async function plant(store: Store, folder: string): Promise<{ space: SpaceId; project: ProjectId }> {
  const now = Date.now()
  const [space, project] = [typeid('spc').toString() as SpaceId, typeid('prj').toString() as ProjectId]
  const base = { workspace: WORKSPACE, createdAt: now, archivedAt: null }
  await store.tree.createWorkspace({ id: WORKSPACE, name: 'Default', createdAt: now, archivedAt: null }, now)
  await store.tree.createSpace(
    { ...base, id: space, name: 'Bench', kind: 'folder', folder, state: 'present', machine: null },
    folder,
    now,
  )
  await store.tree.createProject({ ...base, id: project, space, name: 'Bench', place: directPlace(folder) }, now)
  return { space, project }
}

export async function addSession(store: Store, space: SpaceId, project: ProjectId): Promise<SessionId> {
  const now = Date.now()
  const id = typeid('ses').toString() as SessionId
  const session: Session = {
    ...IDLE,
    id,
    workspace: WORKSPACE,
    space,
    project,
    name: `Session ${id.slice(-6)}`,
    namedBy: 'default',
    head: 0,
    forkedFrom: null,
    createdAt: now,
    updatedAt: now,
    archivedAt: null,
  }
  await store.tree.createSession(session, now)
  return id
}

function submit(store: Store, session: SessionId) {
  const data = {
    prompt: typeid('pmt').toString() as PromptId,
    content: [{ type: 'text' as const, text: TEXT }],
    agent: 'scripted',
    busy: 'queue' as const,
    by: { name: 'bench', kind: 'program' as const, face: 'library' as const },
  }
  const request: Request = { type: 'prompt.requested', data }
  return store.log.submit(WORKSPACE, session, request, { now: Date.now() })
}

/** Appends `count` updates as an agent says them. */
export function record(store: Store, lease: Lease, session: SessionId, count: number) {
  const outcomes = Array.from({ length: count }, (): Outcome => {
    const update = { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: TEXT } }
    return { type: 'agent.update', run: RUN, data: { acp: 1, agent: 'scripted', update } }
  })
  return store.log.record(lease, session, { outcomes }, Date.now())
}

const RUN = typeid('run').toString() as RunId
