import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RetentionCount } from '../../api/retention.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Config } from '../../model/settings/config.ts'
import type { Caller } from '../../model/tree.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'
import { allRows } from '../pages.ts'

const DAY_MS = 86_400_000
/** Delay of the first pass, so that it does not slow the start. ms. */
const FIRST_MS = 300_000
const LEASE = 'retention'
/** Unit of `blocks` of a file. */
const BLOCK_BYTES = 512

type Key = 'keepRunLogsDays' | 'keepAgentLogsDays' | 'keepArchivedItemsDays'

interface RetentionRule {
  readonly key: Key
  readonly what: string
  /** Counts entries older than `before` (ms since 1970), and removes them where `apply` is set. */
  take(ctx: Context, before: number, apply: boolean): Promise<{ count: number; bytes: number }>
}

/** The kinds of old data, each with the setting of its days. A new kind is a row here and a setting. */
const RULES: readonly RetentionRule[] = [
  { key: 'keepRunLogsDays', what: 'folders of runs', take: inFolder(['logs', 'runs']) },
  { key: 'keepAgentLogsDays', what: 'stderr logs of agents', take: inFolder(['logs', 'agents'], 2) },
  {
    key: 'keepArchivedItemsDays',
    what: 'items of archived sessions, rebuilt from the log when opened',
    take: (ctx, before, apply) =>
      apply ? ctx.store.log.forgetArchived(before) : ctx.store.log.forgettableArchived(before),
  },
]

export const previewRetention: Op<'retention.preview'> = async (ctx, caller) => {
  forAllWorkspaces(caller)
  return { rules: await takeAll(ctx, false) }
}

export const applyRetention: Op<'retention.apply'> = async (ctx, caller) => {
  forAllWorkspaces(caller)
  const rules = await applyAlone(ctx)
  if (rules === null) throw new CarrelError('busy', 'Retention is being applied already. Try again in a moment.')
  return { rules }
}

function forAllWorkspaces({ workspaces }: Caller): void {
  if (workspaces !== null)
    throw new CarrelError('forbidden', 'Retention covers all workspaces: only the installation admin may use it.')
}

/** Removes old data once a day, on one node alone. */
export function startLogRetention(ctx: Context): { stop(): void } {
  const pass = () =>
    void applyAlone(ctx).catch((thrown) =>
      ctx.log.warn('Old data could not be removed. The next pass tomorrow tries again.', thrown),
    )
  let daily: NodeJS.Timeout | null = null
  const first = setTimeout(() => {
    pass()
    daily = setInterval(pass, DAY_MS)
    daily.unref()
  }, FIRST_MS)
  first.unref()
  return {
    stop() {
      clearTimeout(first)
      if (daily) clearInterval(daily)
    },
  }
}

async function applyAlone(ctx: Context): Promise<RetentionCount[] | null> {
  const lease = await ctx.leases.acquire(LEASE)
  if (!lease) return null
  try {
    return await takeAll(ctx, true)
  } finally {
    await lease.release()
  }
}

async function takeAll(ctx: Context, apply: boolean): Promise<RetentionCount[]> {
  const counts: RetentionCount[] = []
  for (const { key, what, take } of RULES) {
    const days: Config[Key] = ctx.config[key]
    const taken = days === null ? { count: 0, bytes: 0 } : await take(ctx, ctx.now() - days * DAY_MS, apply)
    counts.push({ rule: key, what, olderThanDays: days, ...taken })
  }
  return counts
}

/** Takes entries of a folder, or with `depth` 2 of its subfolders, not written since `before`. Live runs keep theirs. */
function inFolder(path: readonly string[], depth = 1): RetentionRule['take'] {
  return async (ctx, before, apply) => {
    const live = await liveRuns(ctx)
    let count = 0
    let bytes = 0
    for (const entry of await entriesOf(join(ctx.config.dataFolder, ...path), depth)) {
      if (live.has(entry.name)) continue
      // An agent may close its own folders: one that cannot be measured stays, and the others go.
      const size = await measure(entry.path).catch((thrown) => {
        ctx.log.warn(`${entry.path} is kept: its age cannot be read.`, thrown)
        return null
      })
      if (size === null || size.newest >= before) continue
      if (apply) await rm(entry.path, { recursive: true, force: true })
      count += 1
      bytes += size.bytes
    }
    return { count, bytes }
  }
}

async function entriesOf(folder: string, depth: number): Promise<{ name: string; path: string }[]> {
  const names = (await absentAsNull(readdir(folder))) ?? []
  const entries = names.map((name) => ({ name, path: join(folder, name) }))
  if (depth === 1) return entries
  return (await Promise.all(entries.map(({ path }) => entriesOf(path, depth - 1)))).flat()
}

/**
 * Returns the newest write time (ms since 1970) of a path with all below it, and the bytes that they take on the disk:
 * a small file takes a whole block. Null without the path.
 */
async function measure(path: string): Promise<{ newest: number; bytes: number } | null> {
  const stat = await absentAsNull(lstat(path))
  if (stat === null) return null
  const own = { newest: stat.mtimeMs, bytes: stat.blocks * BLOCK_BYTES }
  if (!stat.isDirectory()) return own
  const names = (await absentAsNull(readdir(path))) ?? []
  const below = await Promise.all(names.map((name) => measure(join(path, name))))
  const found = below.filter((each) => each !== null)
  return {
    newest: Math.max(own.newest, ...found.map(({ newest }) => newest)),
    bytes: found.reduce((sum, each) => sum + each.bytes, own.bytes),
  }
}

async function liveRuns(ctx: Context): Promise<Set<string>> {
  const live = new Set<string>()
  for (const { id } of await ctx.store.tree.workspaces()) {
    for await (const run of allRows((page) => ctx.store.log.runs(id, { live: true }, page))) live.add(run.id)
  }
  return live
}
