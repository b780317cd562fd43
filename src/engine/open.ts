import { randomUUID } from 'node:crypto'
import { availableParallelism, homedir, hostname } from 'node:os'
import { typeid } from 'typeid-js'
import type { Parsed } from '../api/index.ts'
import { createAdmission } from '../host/agent/admission.ts'
import { needBrowser } from '../host/browsers/find.ts'
import { openCgroups } from '../host/cgroups/cgroups.ts'
import { openKeyRing } from '../host/identity/key-ring.ts'
import { probeContainment } from '../host/process/containment.ts'
import { createSandboxes } from '../host/sandbox/probe.ts'
import { pauseOfDatabase } from '../model/binding.ts'
import { ID_PREFIX, type IdNoun, type WorkspaceId } from '../model/ids.ts'
import { Config } from '../model/settings/config.ts'
import type { ReportProgress } from '../model/upgrade.ts'
import { createAwakeClock } from '../primitives/awake-clock.ts'
import { bestEffort } from '../primitives/best-effort.ts'
import { closeAll } from '../primitives/close-all.ts'
import { createSerial } from '../primitives/serial.ts'
import { type Bell, browsersOf, createBell } from '../store/bell.ts'
import { leaseHolderOf } from '../store/machine-store.ts'
import { patientReads } from '../store/patient.ts'
import { lockFolder } from '../store/sqlite/lock.ts'
import type { Store } from '../store/store.ts'
import { compiledFolder, createAgentDirectory } from './agents/agent-directory.ts'
import { createAgentLauncher } from './agents/agent-launcher.ts'
import { AgentPool } from './agents/agent-pool.ts'
import type { AgentRooms } from './agents/agent-rooms.ts'
import { createHomes } from './agents/homes.ts'
import { createLogins } from './agents/logins.ts'
import { BrowserPool } from './browsers/browser-pool.ts'
import { browsersFolder } from './browsers/browsers.ts'
import { TAKEOVER_IDLE_MS } from './browsers/live-view.ts'
import type { Context } from './context.ts'
import { keptSecret, makeDataFolder, NODE_FILE } from './data-folder.ts'
import { openPause } from './data-pause.ts'
import { leaveEarlierServer, sweepEarlierServer } from './earlier-server.ts'
import type { Engine } from './engine.ts'
import { openFilesContext } from './files/files-opening.ts'
import { watchSpaces } from './files/space-watch.ts'
import { Leases } from './leases.ts'
import type { Log } from './log.ts'
import { maskingLog, maskingStore } from './masking.ts'
import { createAccess, loginKeyOf, publicText, tokenDigest } from './nodes/access.ts'
import { createMachines } from './nodes/machines.ts'
import { carrelFor } from './operations.ts'
import { previewCodes } from './preview-codes.ts'
import { startRefolding } from './refolding.ts'
import { sweepOutlived } from './run/rejoin.ts'
import { Supervisor } from './run/supervisor.ts'
import { createPromptDoor } from './run/warm-start.ts'
import { createServerLog, tellingStore } from './server-log.ts'
import { Spending } from './spending.ts'
import { moveBlankFolders, openStore, refuseNewer } from './store-opening.ts'
import { createVault } from './vault.ts'
import { refuseRunElsewhere } from './verbs/at-machine.ts'
import { watchBrowser } from './verbs/browser-views.ts'
import { startLogRetention } from './verbs/retention.ts'

/** Replacements, in tests, for this machine's clock, identifiers, environment and bell. */
export interface Overrides {
  readonly now?: () => number
  readonly id?: (noun: IdNoun) => string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly home?: string
  readonly version?: string
  /** Replaces /proc/self, which names the cgroups of this process. */
  readonly self?: string
  /** Replaces the id of this machine. */
  readonly machine?: string | null
  readonly log?: Log
  readonly say?: ReportProgress
  /** Wraps the bell, for instance in one that loses rings. */
  readonly bell?: (bell: Bell) => Bell
  /** Whether runs rejoin agents of an earlier server; by default where this server would leave its own at its end. */
  readonly rejoinsAgents?: boolean
}

type Closers = (() => Promise<void>)[]

/**
 * Opens Carrel on a data folder: the only place where its parts meet. Processes of an earlier server are ended or kept
 * for their runs first; then its unfinished work goes on.
 * @throws unavailable when another process has the folder (S5), or the database is newer than this program
 */
export async function openEngine(
  settings: Partial<Config> & { dataFolder: string },
  overrides: Overrides = {},
): Promise<Engine> {
  const config = Config.parse(settings)
  await makeDataFolder(config.dataFolder)
  const closers: Closers = []
  try {
    const base = await openBase(config, overrides, closers)
    let supervisor: Supervisor | null = null
    let closing: Promise<void> | null = null
    const begin = async () => {
      // The lock proves that the process which held these leases is dead, so that no one has to wait for their end.
      await base.store.leases.releaseAll(base.holder)
      await base.machines.enter()
      const watch = await watchSpaces(ctx)
      closers.push(() => watch.stop())
      supervisor = startWork({ ...ctx, store: maskingStore(base.store, ctx.vault) }, closers)
    }
    const unpauses = createSerial()
    const ctx = await openContext(base, overrides, closers, {
      held: () => supervisor?.held ?? 0,
      unpause: () =>
        unpauses.run(async () => {
          if (supervisor !== null || closing !== null) return null
          // The notes about processes are this folder's own, where no copy came in between.
          if (base.pause.reason?.why === 'replaced') await sweepEarlierServer(config, false)
          const other = await base.pause.end(base.now(), base.machines.isHeard)
          await begin()
          return other
        }),
    })
    if (base.pause.reason === null) await begin()
    base.log.info(`Opened ${config.dataFolder}${base.pause.reason ? ', which is paused' : ''}.`)
    return {
      config,
      token: base.token,
      access: base.access,
      log: base.log,
      carrelFor: (caller) => carrelFor(ctx, caller),
      async *watchBrowser(caller, run, signal) {
        await refuseRunElsewhere(ctx, caller, run as Parsed<'runs.get'>)
        yield* watchBrowser(ctx, caller, run, signal)
      },
      close() {
        closing ??= unpauses.idle().then(async () => {
          await closeAll(closers)
          base.log.info(`Closed ${config.dataFolder}.`)
        })
        return closing
      },
    }
  } catch (thrown) {
    await bestEffort(closeAll(closers))
    throw thrown
  }
}

type Base = Awaited<ReturnType<typeof openBase>>

/** Locks the data folder, ends the processes of an earlier server, and opens database, bell, vault and leases. */
async function openBase(config: Config, overrides: Overrides, closers: Closers) {
  const { dataFolder } = config
  const lock = await lockFolder(dataFolder)
  closers.push(async () => lock.release())
  await refuseNewer(config)
  const onMoved = (from: string, to: string) => moveBlankFolders(config, from, to)
  const pause = await openPause({ dataFolder, machine: overrides.machine, onMoved })
  const rejoins = overrides.rejoinsAgents ?? config.outliveMs > 0
  const earlier = pause.reason ? leaveEarlierServer(config) : await sweepEarlierServer(config, rejoins)
  const { now = Date.now, env = process.env, version = '0.0.0', home = homedir(), say } = overrides
  // The id of a machine belongs to its data folder: it survives restarts, and a copy of the folder has it too.
  const id = await keptSecret(dataFolder, NODE_FILE, 12)
  const holder = leaseHolderOf(id)
  const plainLog = overrides.log ?? createServerLog(config.logLevel, now)
  const isPaused = pause.reason !== null
  const opened = tellingStore(await openStore(config, { now, env, version, holder, say, isPaused }), plainLog)
  closers.push(() => opened.close())
  // The work of runs waits out what its lease can bear. Callers get an error at once.
  const store = patientReads(opened, config.leaseTtlMs)
  const awake = createAwakeClock(now)
  closers.push(async () => awake.stop())
  const { bell, close: closeBell } = await openBell(config, store, overrides)
  closers.push(closeBell)
  const path = env.PATH ?? ''
  const containment = await probeContainment(path)
  const cgroups = openCgroups({ path, ...(overrides.self && { self: overrides.self }) })
  const { secretsKeyFile: file } = config
  const vault = createVault(store.secrets, openKeyRing({ environment: env.CARREL_SECRETS_KEY, file, dataFolder }))
  if (store.engine === 'sqlite') pause.begin(pauseOfDatabase(await store.machines.list(), id))
  const token = await keptSecret(dataFolder, 'token', 32)
  const leases = new Leases({ ...store, awake }, holder, config.leaseTtlMs, now)
  closers.push(() => leases.close())
  const log = maskingLog(plainLog, vault)
  const keys = { tokenDigest: tokenDigest(token), loginKey: publicText(loginKeyOf(token)) }
  const self = { id, name: config.machineName ?? hostname(), version, ...keys }
  const machines = createMachines({ store, self, ttlMs: config.leaseTtlMs, now, log })
  closers.push(() => machines.close())
  const access = createAccess({ token, machine: id, others: machines.alone ? null : store.machines, now })
  const facts = { now, env, version, home, containment, cgroups }
  return {
    config,
    earlier,
    token,
    access,
    holder,
    ...facts,
    awake,
    opened,
    store,
    bell,
    vault,
    leases,
    log,
    machines,
    pause,
  }
}

function openAgentRooms(base: Base, closers: Closers): AgentRooms & Pick<Context, 'browsers'> {
  const { config, earlier, now, env, home, store, bell, token, leases, log } = base
  const { dataFolder } = config
  const logins = createLogins({ leases, home, dataFolder, log })
  closers.push(() => logins.close())
  const admission = createAdmission(config.spawnsAtOnce ?? Math.max(1, availableParallelism()))
  const compiled = compiledFolder(config, env)
  const browsers = new BrowserPool({
    program: () => needBrowser(config.browserCommand, env.PATH ?? ''),
    endpoint: config.browserEndpoint,
    runtime: { folder: browsersFolder(config), ledger: earlier.ledger, containment: base.containment, compiled, now },
    admission,
    most: config.browsersAtOnce,
    waitMs: config.browserWaitMs,
    graceMs: config.outliveMs,
    surviving: earlier.browsers,
    leasedPorts: () => store.ports.taken(),
    view: { now, id: randomUUID, idleMs: TAKEOVER_IDLE_MS },
    changed: (workspace) => bell.ring({ log: browsersOf(workspace), head: 0, due: false }),
  })
  closers.push(() => browsers.close())
  const surviving = earlier.agents.map(({ keeper }) => keeper)
  const launcher = createAgentLauncher({ ...base, logins })
  const { rejoins } = earlier
  const pool = new AgentPool({ ...launcher, surviving, rejoins, admission, salt: token, idleMs: config.idleAgentMs })
  closers.push(() => pool.close())
  const agents = createAgentDirectory({ config, env, home, now })
  const endProcesses = (path: string) => pool.endHome(path)
  const homes = createHomes({ dataFolder, store, logins, recipes: agents.recipes, endProcesses, log })
  closers.push(() => homes.close())
  return { browsers, pool, agents, homes }
}

async function openContext(
  base: Base,
  overrides: Overrides,
  closers: Closers,
  work: Pick<Context, 'held' | 'unpause'>,
): Promise<Context> {
  const { earlier: _earlier, token, access: _access, holder: _holder, opened, ...parts } = base
  const { config, now } = parts
  const agentRooms = openAgentRooms(base, closers)
  const fileRooms = openFilesContext({ ...parts, dataFolder: config.dataFolder, ctx: () => ctx })
  closers.push(() => fileRooms.close())
  const ctx: Context = {
    ...parts,
    ...fileRooms,
    ...agentRooms,
    store: maskingStore(opened, parts.vault),
    promptDoor: createPromptDoor(),
    spending: new Spending(),
    previewCode: previewCodes(token),
    id: overrides.id ?? ((noun) => typeid(ID_PREFIX[noun]).toString()),
    startedAt: now(),
    sandboxes: createSandboxes(parts.env.PATH ?? ''),
    ...work,
  }
  await makeDefaultWorkspace(ctx)
  return ctx
}

/** Starts everything that a paused data folder must not do. The engine starts no work elsewhere by itself. */
function startWork(ctx: Context, closers: Closers): Supervisor {
  ctx.startFiles()
  ctx.homes.sweep()
  const supervisor = new Supervisor(ctx)
  closers.push(() => supervisor.stop())
  const sweeping = sweepOutlived(ctx)
  closers.push(() => sweeping.stop())
  const refolding = startRefolding(ctx)
  closers.push(() => refolding.stop())
  const retention = startLogRetention(ctx)
  closers.push(async () => retention.stop())
  // Closed before the supervisor, so that the notices of the hand-back still reach the logs of the runs.
  closers.push(async () => ctx.browsers.stopViews())
  return supervisor
}

/** Opens the bell, which every commit rings: for listeners of this process and, on Postgres, of other nodes. */
async function openBell(
  config: Config,
  store: Store,
  overrides: Overrides,
): Promise<{ bell: Bell; close(): Promise<void> }> {
  const plain = config.databaseUrl
    ? await (await import('../store/postgres/bell-postgres.ts')).createPostgresBell(config.databaseUrl)
    : createBell()
  const bell = overrides.bell?.(plain) ?? plain
  const stop = store.onAppend((ring) => bell.ring(ring))
  return {
    bell,
    async close() {
      stop()
      await bell.close()
    },
  }
}

async function makeDefaultWorkspace(ctx: Context): Promise<void> {
  if ((await ctx.store.tree.workspaces()).length > 0) return
  const workspace = { id: 'default' as WorkspaceId, name: 'Default', createdAt: ctx.now(), archivedAt: null }
  await ctx.store.tree.createWorkspace(workspace, ctx.now())
}
