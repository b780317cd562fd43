import { readdir, realpath, statfs } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import type { Finding } from '../../api/admin.ts'
import { WHAT } from '../../host/cgroups/cgroups.ts'
import { branchOf, nearbyGitFolders } from '../../host/folders.ts'
import { CarrelError } from '../../model/errors.ts'
import { HeldLimits } from '../../model/settings/environment.ts'
import type { Caller } from '../../model/tree.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { browserFinding } from '../browsers/browsers.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'
import { pausedFor } from './pause.ts'

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

export const serverStatus: Op<'server.status'> = async (ctx, caller) => {
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
    paused: await pausedFor(ctx, caller),
  }
}

const good = (name: string, text: string): Finding => ({ name, state: 'good', text, next: null })
const limited = (name: string, text: string, next: string | null): Finding => ({ name, state: 'limited', text, next })
const bad = (name: string, text: string, next: string): Finding => ({ name, state: 'bad', text, next })

export const doctor: Op<'server.doctor'> = async (ctx, caller) => {
  const findings: Finding[] = [
    good('Node', `${process.version} on ${process.platform}-${process.arch}.`),
    ...(await pauseFindings(ctx, caller)),
    processFinding(ctx),
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

async function pauseFindings(ctx: Context, caller: Caller): Promise<Finding[]> {
  const paused = await pausedFor(ctx, caller)
  if (paused === null) return []
  return [limited('Data folder', `Paused: ${paused.text}`, 'If this one goes on, run `carrel unpause`.')]
}

function processFinding({ containment }: Context): Finding {
  const name = 'Processes'
  const text = [containment.detail, ...containment.limits].join(' ')
  const state = containment.limits.length === 0 ? 'good' : 'limited'
  if (containment.kind !== 'process-group') return { name, state, text, next: null }
  const next =
    'On Linux, install bubblewrap or util-linux (unshare, setpriv), so that Carrel can end all processes of an agent.'
  return { name, state, text, next }
}

async function sandboxFinding({ sandboxes }: Context): Promise<Finding> {
  for (const mode of ['guard', 'strict'] as const) {
    const found = await sandboxes.obstacle(mode)
    if (found) return limited('Sandbox', `No ${mode}: ${found.why}`, found.next)
  }
  return good('Sandbox', 'guard and strict, with bubblewrap.')
}

async function limitsFinding({ cgroups }: Context): Promise<Finding> {
  const limits: { what: string; text: string; next: string | null }[] = []
  for (const limit of HeldLimits.keyof().options) {
    const found = await cgroups.wayOf(limit)
    const enforced = 'way' in found ? `enforced by cgroups ${found.way.version} in ${found.way.folder}.` : null
    const { why, next } = 'obstacle' in found ? found.obstacle : { why: '', next: null }
    limits.push({ what: WHAT[limit], text: enforced ?? why, next })
  }
  const parts = [...Map.groupBy(limits, ({ text }) => text)].map(([text, same]) => {
    const what = same.map((each) => each.what).join(' and ')
    return same[0]?.next === null ? `Limits of ${what}: ${text}` : `No limit of ${what}: ${text}`
  })
  const next = limits.find((each) => each.next !== null)?.next ?? null
  return next === null ? good('Limits', parts.join(' ')) : limited('Limits', parts.join(' '), next)
}

async function storeFinding(ctx: Context): Promise<Finding> {
  try {
    const stats = await ctx.store.stats()
    const size = stats.bytes === null ? '' : `, ${(stats.bytes / 1_048_576).toFixed(1)} MiB`
    const text = `${stats.engine} ${stats.version}, schema ${stats.schema}, ${stats.sessions} sessions, ${stats.events} events${size}; ${stats.location}.`
    return good('Store', text)
  } catch (thrown) {
    return bad('Store', messageOf(thrown), 'Check the database and the space on its disk.')
  }
}

async function diskFinding(ctx: Context): Promise<Finding> {
  const disk = await statfs(ctx.config.dataFolder)
  const free = disk.bavail * disk.bsize
  const text = `${(free / 1_073_741_824).toFixed(1)} GiB free on the disk of the data folder (${ctx.config.dataFolder}).`
  if (free >= LOW_DISK_BYTES) return good('Disk', text)
  return limited('Disk', text, 'Free some space. When the disk is full, runs stop until there is room.')
}

async function filesFindings(ctx: Context): Promise<Finding[]> {
  const drivers = await (await ctx.places()).drivers()
  const usable = drivers.filter((driver) => driver.usable)
  const lacking = drivers.filter((driver) => !driver.usable)
  const why = (detail: string) => detail.replace(/\.$/, '')
  const parts = [...usable, ...lacking].map((one) => `${one.name}: ${one.usable ? 'usable' : why(one.detail)}`)
  const name = 'Working copies'
  const text = `${parts.join('; ')}.`
  const next = 'Projects can only work in the folder itself or in git worktrees on this machine.'
  return [await historyFinding(ctx), usable.length > 0 ? good(name, text) : limited(name, text, next)]
}

async function historyFinding(ctx: Context): Promise<Finding> {
  const name = 'File history'
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
    const watched = await Promise.all([...ctx.projectPlaces.followed.keys()].map((key) => history.status(key)))
    const blind = watched.filter(({ watching, state }) => !watching && state === 'ready').length
    const text = `${each.join('; ') || 'Nothing yet'}. ${watched.length} places are open, ${watched.length - blind} of them watched.`
    const next = 'Places that are not watched need a full scan each time. Raise fs.inotify.max_user_watches.'
    return blind === 0 ? good(name, text) : limited(name, text, next)
  } catch (thrown) {
    const next =
      'Runs continue, but cannot be undone meanwhile. Restart Carrel. If the error remains, move the folder `files` out of the data folder.'
    return bad(name, messageOf(thrown), next)
  }
}

const LARGEST = 3
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

async function agentFindings(ctx: Context): Promise<Finding[]> {
  const agents = await ctx.agents.list()
  const installed = agents.filter((agent) => agent.installed && agent.origin !== 'scripted')
  if (installed.length > 0)
    return installed.map(({ name, version, program }) => good(name, `${version ?? 'found'} at ${program}.`))
  const text = 'No agent was found on the PATH. Only the scripted agent that ships with Carrel is available.'
  const next = 'Install an agent: `carrel agents` lists the agents that Carrel knows and how to get them.'
  return [limited('Agents', text, next)]
}
