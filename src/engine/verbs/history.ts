import type { Output, Parsed } from '../../api/index.ts'
import type { History } from '../../host/history/history.ts'
import { CarrelError } from '../../model/errors.ts'
import { type Change, type FileDiff, type FilePath, sameAuthor, sameState } from '../../model/files/history.ts'
import { enter, sessionIn, spaceIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import { maskedBytes, maskedDiff } from '../files/masked-files.ts'
import type { PlaceActivity } from '../files/place-activity.ts'
import { BASE, reachHistory, reachPlace } from '../files/place-reach.ts'
import type { OpenedPlace } from '../files/project-places.ts'
import type { Op } from '../op.ts'

const MOST_CHANGES = 1_000
const MOST_BYTES = 16_777_216
type Touched = Output<'history.changes'>['changes'][number]

export const historyStatus: Op<'history.status'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  return await (await ctx.history()).status(key)
}

export const listSnapshots: Op<'history.snapshots'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const { session, run, path, limit } = input
  const filter = { before: numberOf(input.cursor), limit, session, run, path }
  const snapshots = await (await ctx.history()).snapshots(key, filter)
  return { snapshots, cursor: snapshots.length < limit ? null : String(snapshots.at(-1)?.n) }
}

export const captureNow: Op<'history.capture'> = async (ctx, caller, input) => {
  const { opened, activity } = await reachPlace(ctx, caller, input)
  if (input.accept) await acceptFolder(ctx, opened, activity)
  const { n, counts } = await activity.scan({ at: 'everything', reason: 'asked' })
  return { n, changed: counts.created + counts.modified + counts.deleted }
}

async function acceptFolder(ctx: Context, opened: OpenedPlace, activity: PlaceActivity): Promise<void> {
  if (activity.workers.size > 0)
    throw new CarrelError('busy', 'A run is at work in this folder. Stop it first, then accept the folder.')
  await ctx.projectPlaces.accept(opened)
}

export const pinSnapshot: Op<'history.pin'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  await (await ctx.history()).pin(key, input.n, input.pinned)
  return { pinned: input.pinned }
}

export const listChanges: Op<'history.changes'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const history = await ctx.history()
  const { run, session, act, from = BASE, to = null } = input
  const by = run ? { run } : session ? { session } : act ? { act } : null
  const span = { from, to, after: null, limit: MOST_CHANGES + 1 }
  const found = touchedOf(await (by ? history.changesBy(key, by) : history.between(key, span)))
  const shown = found.slice(0, MOST_CHANGES)
  const changes = await Promise.all(
    shown.map(async (touched) => {
      const now = await history.stateAt(key, touched.path, null)
      return { ...touched, changedSince: !sameState(now, touched.after) }
    }),
  )
  return { changes, cut: found.length > shown.length }
}

/** Joins all changes of a path into one: from before the first to after the last. */
function touchedOf(changes: readonly Change[]): Omit<Touched, 'changedSince'>[] {
  const byPath = new Map<FilePath, Omit<Touched, 'changedSince'>>()
  for (const { path, before, after, author, certainty } of changes) {
    const known = byPath.get(path)
    const doubtful = known && !sameAuthor(known.author, author) && known.author.kind === 'unknown' ? known : null
    byPath.set(path, {
      path,
      before: known ? known.before : before,
      after,
      author: doubtful?.author ?? author,
      certainty: doubtful?.certainty ?? certainty,
      times: (known?.times ?? 0) + 1,
    })
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

export const pathHistory: Op<'history.path'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const page = { before: numberOf(input.cursor), limit: input.limit }
  const changes = await (await ctx.history()).pathHistory(key, input.path, page)
  return { changes, cursor: changes.length < input.limit ? null : String(changes.at(-1)?.n) }
}

export const diffPath: Op<'history.diff'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const history = await ctx.history()
  return maskedDiff(await diffOf(history, key, input), await ctx.vault.maskOf(input.workspace))
}

async function diffOf(history: History, key: string, input: Parsed<'history.diff'>): Promise<FileDiff> {
  const { path, run, session } = input
  if (run || session) {
    const all = await history.changesBy(key, run ? { run } : { session: session as NonNullable<typeof session> })
    const own = all.filter((change) => change.path === path)
    const [first, last] = [own[0], own.at(-1)]
    if (!first || !last) throw new CarrelError('not_found', `This ${run ? 'run' : 'session'} did not change ${path}.`)
    return await history.diff(key, path, { from: Math.max(first.n - 1, 0), to: last.n })
  }
  const from = input.from ?? (await history.pathHistory(key, path, { before: null, limit: 1 }))[0]?.n
  return await history.diff(key, path, { from: input.from ?? Math.max((from ?? 1) - 1, 0), to: input.to ?? null })
}

export const readFileAt: Op<'history.file'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const history = await ctx.history()
  const at = input.at ?? null
  const state = await history.stateAt(key, input.path, at)
  if (!state) throw new CarrelError('not_found', `${input.path} did not exist at that time.`)
  const content = state.kind === 'folder' ? new Uint8Array() : await history.content(key, input.path, at, MOST_BYTES)
  const bytes = maskedBytes(content, await ctx.vault.maskOf(input.workspace))
  const text = decode(bytes)
  return text === null
    ? { state, encoding: 'base64', content: Buffer.from(bytes).toString('base64') }
    : { state, encoding: 'text', content: text }
}

/** Returns null for bytes that are not UTF-8 text, so that no byte is ever replaced. */
function decode(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.includes('\0') ? null : text
  } catch {
    return null
  }
}

export const listGaps: Op<'history.gaps'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  return { gaps: await (await ctx.history()).gaps(key, input.limit) }
}

export const historyEverywhere: Op<'changes.list'> = async (ctx, caller, input) => {
  const { workspace, space, session, author, path, limit } = input
  await enter(ctx, caller, workspace)
  if (space) await spaceIn(ctx, caller, workspace, space)
  if (session) await sessionIn(ctx, caller, workspace, session)
  const rows = await (await ctx.history()).changesIn(
    { workspace, ...(space && { space }) },
    { author, session, path, cursor: input.cursor ?? null, limit },
  )
  const changes = rows.map(({ labels, change }) => ({ space: labels.space, project: labels.project, change }))
  return { changes, cursor: rows.length < limit ? null : (rows.at(-1)?.cursor ?? null) }
}

/** Reads the cursor of snapshots or changes: the number below which the page begins. @throws bad_input */
function numberOf(cursor: string | undefined): number | null {
  if (cursor === undefined) return null
  if (!/^\d{1,15}$/.test(cursor))
    throw new CarrelError('bad_input', 'This cursor does not belong to this list. Begin again without a cursor.')
  return Number(cursor)
}
