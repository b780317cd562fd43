import { readdir, realpath, statfs } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import type { Finding } from '../../api/admin.ts'
import { WHAT } from '../../host/cgroups/cgroups.ts'
import { branchOf, nearbyGitFolders } from '../../host/folders.ts'
import { HeldLimits } from '../../model/environment.ts'
import { CarrelError } from '../../model/errors.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { browserFinding } from '../browsers/browsers.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

const SUGGESTIONS = 40
const LISTED = 500
const LOW_DISK_BYTES = 1_073_741_824

export const listAgents: Op<'agents.list'> = async (ctx) => ({
  agents: await ctx.agents.list(),
  default: await ctx.agents.defaultAgent(),
})

export const suggestFolders: Op<'folders.suggest'> = async (ctx, _caller, input) => {
  if (input.in === undefined) {
    const found = await nearbyGitFolders(ctx.home, SUGGESTIONS)
    return { folder: ctx.home, folders: await Promise.all(found.map((path) => describe(path, true))) }
  }
  if (!isAbsolute(input.in)) throw new CarrelError('bad_input', 'Give the full path of a folder, from the root.')
  const { folder, entries } = await listFolder(input.in)
  const folders = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(folder, entry.name))
  const shown = folders.sort().slice(0, LISTED)
  return { folder, folders: await Promise.all(shown.map((path) => describe(path, null))) }
}

async function listFolder(path: string) {
  try {
    const folder = await realpath(path)
    return { folder, entries: await readdir(folder, { withFileTypes: true }) }
  } catch (cause) {
    const message = `${path} is not a folder that Carrel can read: ${messageOf(cause)}.`
    throw new CarrelError('not_found', message, undefined, cause)
  }
}

async function describe(path: string, git: boolean | null) {
  const branch = await branchOf(path)
  return { path, name: basename(path), git: git ?? branch !== null, branch }
}

export const serverStatus: Op<'server.status'> = async (ctx) => {
  return {
    version: ctx.version,
    node: process.version,
    store: ctx.store.engine,
    startedAt: ctx.startedAt,
    pid: process.pid,
    rssBytes: process.memoryUsage.rss(),
    liveRuns: ctx.held(),
    agentProcesses: ctx.pool.processes,
    waitingSpawns: ctx.pool.waitingSpawns,
  }
}

/** What is looked at by `carrel doctor`; each finding says what to do where something is not as it should be. */
export const doctor: Op<'server.doctor'> = async (ctx) => {
  const { containment } = ctx
  const findings: Finding[] = [
    { name: 'Node', state: 'good', text: `${process.version} on ${process.platform}-${process.arch}.`, next: null },
    {
      name: 'Processes',
      state: containment.limits.length === 0 ? 'good' : 'limited',
      text: [containment.detail, ...containment.limits].join(' '),
      next:
        containment.kind === 'process-group'
          ? 'On Linux, install bubblewrap or util-linux (unshare, setpriv) so that an agent can be ended with all it started.'
          : null,
    },
    await sandboxFinding(ctx),
    await limitsFinding(ctx),
    await browserFinding(ctx),
    await storeFinding(ctx),
    await diskFinding(ctx),
    ...(await filesFindings(ctx)),
    ...(await agentFindings(ctx)),
  ]
  return { findings }
}

/** What agents can be kept in, where a Space asks for it. */
async function sandboxFinding({ sandboxes }: Context): Promise<Finding> {
  const name = 'Sandbox'
  for (const mode of ['guard', 'strict'] as const) {
    const found = await sandboxes.obstacle(mode)
    if (found) return { name, state: 'limited', text: `No ${mode}: ${found.why}`, next: found.next }
  }
  return { name, state: 'good', text: 'guard and strict, with bubblewrap.', next: null }
}

/** Which limits this machine keeps of an agent and all that it starts, where a scope asks for one. */
async function limitsFinding({ cgroups }: Context): Promise<Finding> {
  const looked: { what: string; text: string; next: string | null }[] = []
  for (const limit of HeldLimits.keyof().options) {
    const found = await cgroups.wayOf(limit)
    const kept = 'way' in found ? `kept by cgroups ${found.way.version} in ${found.way.folder}.` : null
    const { why, next } = 'obstacle' in found ? found.obstacle : { why: '', next: null }
    looked.push({ what: WHAT[limit], text: kept ?? why, next })
  }
  const words = [...Map.groupBy(looked, ({ text }) => text)].map(([text, same]) => {
    const what = same.map((each) => each.what).join(' and ')
    return same[0]?.next === null ? `Of ${what}: ${text}` : `None of ${what}: ${text}`
  })
  const next = looked.find((each) => each.next !== null)?.next ?? null
  return { name: 'Limits', state: next === null ? 'good' : 'limited', text: words.join(' '), next }
}

async function storeFinding(ctx: Context): Promise<Finding> {
  try {
    const stats = await ctx.store.stats()
    const size = stats.bytes === null ? '' : `, ${(stats.bytes / 1_048_576).toFixed(1)} MiB`
    const text = `${stats.engine} ${stats.version}, schema ${stats.schema}, ${stats.sessions} sessions, ${stats.events} events${size}; ${stats.location}.`
    return { name: 'Store', state: 'good', text, next: null }
  } catch (thrown) {
    return {
      name: 'Store',
      state: 'bad',
      text: messageOf(thrown),
      next: 'Check the database and the space on its disk.',
    }
  }
}

async function diskFinding(ctx: Context): Promise<Finding> {
  const disk = await statfs(ctx.config.dataFolder)
  const free = disk.bavail * disk.bsize
  const low = free < LOW_DISK_BYTES
  const text = `${(free / 1_073_741_824).toFixed(1)} GiB free where the data folder is (${ctx.config.dataFolder}).`
  return {
    name: 'Disk',
    state: low ? 'limited' : 'good',
    text,
    next: low ? 'Free some space: when the disk is full, runs stop until there is room.' : null,
  }
}

/** Whose files take how much, how places are kept apart, and whether folders are watched. */
async function filesFindings(ctx: Context): Promise<Finding[]> {
  const drivers = await (await ctx.places()).drivers()
  const usable = drivers.filter((driver) => driver.usable)
  const lacking = drivers.filter((driver) => !driver.usable)
  const why = (detail: string) => detail.replace(/\.$/, '')
  const words = [...usable, ...lacking].map((one) => `${one.name}: ${one.usable ? 'usable' : why(one.detail)}`)
  const places: Finding = {
    name: 'Places',
    state: usable.length > 0 ? 'good' : 'limited',
    text: `${words.join('; ')}.`,
    next: usable.length > 0 ? null : 'Projects can only work in the folder itself or in git worktrees here.',
  }
  return [await historyFinding(ctx), places]
}

async function historyFinding(ctx: Context): Promise<Finding> {
  try {
    const history = await ctx.history()
    const usage = await history.usage()
    const sum = (rows: typeof usage) => rows.reduce((bytes, row) => bytes + row.bytes, 0)
    const byWorkspace = Map.groupBy(usage, ({ labels }) => labels.workspace)
    const each = [...byWorkspace].map(([workspace, rows]) => {
      const largest = rows.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST)
      const parts = largest.map(({ labels, bytes }) => `${labels.project ?? labels.space} ${mebibytes(bytes)}`)
      return `${workspace}: ${mebibytes(sum(rows))} (${parts.join(', ')})`
    })
    const watched = await Promise.all([...ctx.care.followed.keys()].map((key) => history.status(key)))
    const blind = watched.filter(({ watching, state }) => !watching && state === 'ready').length
    return {
      name: 'History of files',
      state: blind === 0 ? 'good' : 'limited',
      text: `${each.join('; ') || 'Nothing yet'}. ${watched.length} places are open, ${watched.length - blind} of them watched.`,
      next: blind === 0 ? null : 'Places that are not watched are walked each time: raise fs.inotify.max_user_watches.',
    }
  } catch (thrown) {
    const text = messageOf(thrown)
    return {
      name: 'History of files',
      state: 'bad',
      text,
      next: 'Runs go on and cannot be undone meanwhile. Start again; if it stays, move the folder `files` in the data folder away.',
    }
  }
}

const LARGEST = 3
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

async function agentFindings(ctx: Context): Promise<Finding[]> {
  const agents = await ctx.agents.list()
  const installed = agents.filter((agent) => agent.installed && agent.origin !== 'scripted')
  const findings = installed.map(
    (agent): Finding => ({
      name: agent.name,
      state: 'good',
      text: `${agent.version ?? 'found'} at ${agent.program}.`,
      next: null,
    }),
  )
  if (findings.length > 0) return findings
  const text = 'No agent was found on the PATH; only the scripted agent that ships with Carrel is there.'
  return [
    {
      name: 'Agents',
      state: 'limited',
      text,
      next: 'Install one: `carrel agents` lists those Carrel knows and how to get them.',
    },
  ]
}
