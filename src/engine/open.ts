import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, homedir } from 'node:os'
import { join } from 'node:path'
import { typeid } from 'typeid-js'
import { type Admission, createAdmission } from '../host/agent/admission.ts'
import { type AgentLaunch, connectAgent, resumeAgent } from '../host/agent/agent.ts'
import { dropOthers as dropOtherBrowsers, findBrowsers } from '../host/browsers/browser.ts'
import { dropDoors } from '../host/browsers/door.ts'
import { needBrowser } from '../host/browsers/find.ts'
import { type Cgroups, openCgroups } from '../host/cgroups/cgroups.ts'
import { openKeyRing } from '../host/identity/key-ring.ts'
import { dropKeeper, dropOthers, findKeepers } from '../host/keeper/client.ts'
import { type Containment, probeContainment } from '../host/process/containment.ts'
import { killTree, sweepLedger } from '../host/process/ledger.ts'
import { createSandboxes } from '../host/sandbox/probe.ts'
import { Config } from '../model/config.ts'
import { CarrelError } from '../model/errors.ts'
import { fileTrouble } from '../model/file-trouble.ts'
import { ID_PREFIX, type IdNoun, type WorkspaceId } from '../model/ids.ts'
import { absentAsNull } from '../primitives/absent-as-null.ts'
import { type Bell, browsersOf, createBell } from '../store/bell.ts'
import { lockFolder } from '../store/lock.ts'
import type { Store } from '../store/store.ts'
import { compiledFolder, createAgentDirectory } from './agents/agent-directory.ts'
import { type AgentNeed, type AgentPool, createAgentPool } from './agents/agent-pool.ts'
import { createHomes, readyHome } from './agents/homes.ts'
import { createLogins, type Logins } from './agents/logins.ts'
import { createBrowserDesk, LOOKED_AWAY_MS } from './browsers/browser-desk.ts'
import { type BrowserPool, createBrowserPool } from './browsers/browser-pool.ts'
import { browsersFolder } from './browsers/browsers.ts'
import { concealingLog, concealingStore } from './concealing.ts'
import type { Context } from './context.ts'
import type { Engine } from './engine.ts'
import { openFilesDesk } from './files/files-desk.ts'
import { createLeases } from './leases.ts'
import type { Log } from './log.ts'
import { carrelFor } from './operations.ts'
import { previewCodes } from './preview-codes.ts'
import { startRefolding } from './refolding.ts'
import { graceMs, sweepOutlived } from './run/rejoin.ts'
import { createSpending } from './run/spending.ts'
import { startSupervisor } from './run/supervisor.ts'
import { createPromptDoor } from './run/warm-start.ts'
import { openStore, refuseNewer, type UpgradeProgress } from './store-opening.ts'
import { createVault, type Vault } from './vault.ts'
import { watchBrowser } from './verbs/browser-views.ts'
import { startKeeping } from './verbs/keeping.ts'

/** What tests put in the place of this machine's clock, identifiers, environment and bell. */
export interface Overrides {
  readonly now?: () => number
  readonly id?: (noun: IdNoun) => string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly home?: string
  readonly version?: string
  /** Stands for /proc/self: what this machine says of the cgroups that Carrel is in. */
  readonly self?: string
  readonly log?: Log
  /** Hears how far an upgrade of the data is. */
  readonly say?: UpgradeProgress
  /** Stands before the bell, for instance one that loses rings. */
  readonly bell?: (bell: Bell) => Bell
  /** Whether agents that outlived an earlier life are taken up; by default where they would also be left at the end. */
  readonly takesUp?: boolean
}

/**
 * Opens Carrel on a data folder: the only place where its parts meet. What an earlier life left running is ended
 * first, then what it left undone goes on.
 *
 * @throws unavailable when another process has the folder (S5), or the database is newer than this program
 */
export async function openEngine(
  settings: Partial<Config> & { dataFolder: string },
  overrides: Overrides = {},
): Promise<Engine> {
  const config = Config.parse(settings)
  const { dataFolder } = config
  await makeDataFolder(dataFolder)
  const closers: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const lock = await lockFolder(dataFolder)
    closers.push(async () => lock.release())
    await refuseNewer(config)
    const earlier = await sweepEarlier(config, overrides.takesUp ?? config.outliveMs > 0)
    const now = overrides.now ?? Date.now
    const env = overrides.env ?? process.env
    const version = overrides.version ?? '0.0.0'
    const node = await keptSecret(dataFolder, 'node', 12)
    const holder = `node:${node}`
    const store = await openStore(config, { now, env, version, holder, say: overrides.say })
    closers.push(() => store.close())
    const ring = await openBell(config, store, overrides)
    closers.push(ring.close)
    const containment = await probeContainment(env.PATH ?? '')
    const cgroups = openCgroups({ path: env.PATH ?? '', ...(overrides.self && { self: overrides.self }) })
    const vault = createVault(store.secrets, keyRingOf(config, env))
    const token = await keptSecret(dataFolder, 'token', 32)
    const home = overrides.home ?? homedir()
    // The folder is locked and its name is in it, so whoever held these is dead: nobody waits for them to run out.
    await store.leases.releaseAll(holder)
    const leases = createLeases(store, holder, config.leaseTtlMs, now)
    closers.push(() => leases.close())
    const log = concealingLog(overrides.log ?? createLog(config.logLevel), vault)
    const logins = createLogins({ leases, home, dataFolder, log })
    closers.push(() => logins.close())
    const admission = createAdmission(config.spawnsAtOnce ?? Math.max(1, availableParallelism()))
    const machine = { ...earlier, now, env, home, containment, cgroups, version, vault, logins, salt: token, admission }
    const changed = (workspace: string) => ring.bell.ring({ log: browsersOf(workspace), head: 0, due: false })
    const browsers = openBrowsers(config, { ...machine, store, changed })
    closers.push(() => browsers.close())
    const browserDesk = createBrowserDesk({ now, id: randomUUID, changed, idleMs: LOOKED_AWAY_MS })
    const pool = openPool(config, machine)
    closers.push(() => pool.close())
    const agents = createAgentDirectory({ config, env, home, now })
    const letGo = pool.letGo
    const homes = createHomes({ dataFolder, store, logins, recipes: agents.recipes, letGo, log })
    closers.push(() => homes.close())
    let held = () => 0
    const desk = openFilesDesk({ store, leases, dataFolder, containment, env, now, log, ctx: () => ctx })
    closers.push(() => desk.close())
    const ctx: Context = {
      ...desk,
      config,
      store: concealingStore(store, vault),
      bell: ring.bell,
      promptDoor: createPromptDoor(),
      leases,
      agents,
      homes,
      pool,
      browsers,
      browserDesk,
      vault,
      spending: createSpending(),
      node,
      previewCode: previewCodes(token),
      now,
      id: overrides.id ?? ((noun) => typeid(ID_PREFIX[noun]).toString()),
      env,
      home,
      startedAt: now(),
      version,
      containment,
      sandboxes: createSandboxes(env.PATH ?? ''),
      cgroups,
      held: () => held(),
      log,
    }
    await makeDefaultWorkspace(ctx)
    desk.begin()
    homes.sweep()
    const supervisor = startSupervisor(ctx)
    held = () => supervisor.held
    closers.push(() => supervisor.stop())
    const sweeping = sweepOutlived(ctx)
    closers.push(() => sweeping.stop())
    const refolding = startRefolding(ctx)
    closers.push(() => refolding.stop())
    const keeping = startKeeping(ctx)
    closers.push(async () => keeping.stop())
    // Before its runs are left to themselves: what is said of it still comes into their logs.
    closers.push(async () => browserDesk.close())
    let closing: Promise<void> | null = null
    return {
      config,
      token,
      carrelFor: (caller) => carrelFor(ctx, caller),
      watchBrowser: (caller, run, signal) => watchBrowser(ctx, caller, run, signal),
      close() {
        closing ??= closeAll()
        return closing
      },
    }
  } catch (thrown) {
    await closeAll()
    throw thrown
  }
}

async function makeDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw new CarrelError(
      'unavailable',
      `The data folder ${path} cannot be made: ${cause.message}. Choose another with --data.`,
      undefined,
      cause,
    )
  })
}

/** Ends what an earlier life left running (P1), but for agents that were to outlive it. */
async function sweepEarlier(config: Config, takesUp: boolean) {
  const ledger = join(config.dataFolder, 'processes')
  await mkdir(ledger, { recursive: true })
  const keepers = join(config.dataFolder, 'keepers')
  const outlived = takesUp ? await findKeepers(keepers) : []
  const folder = browsersFolder(config)
  const browsers = takesUp ? await findBrowsers({ folder }) : []
  const notes = [...outlived.map(({ note }) => note), ...browsers.map(({ trees }) => trees)]
  await sweepLedger(ledger, new Set(notes.flatMap(({ keeper, agent }) => [keeper.tree, agent.tree])))
  await dropOthers(keepers, new Set(outlived.map(({ keeper }) => keeper)))
  await dropOtherBrowsers({ folder }, browsers)
  if (outlived.length === 0) await dropDoors(folder)
  return { ledger, keepers, outlived, browsers: { folder, outlived: browsers } }
}

const keyRingOf = (config: Config, env: Context['env']) =>
  openKeyRing({
    environment: env.CARREL_SECRETS_KEY,
    file: config.secretsKeyFile,
    dataFolder: config.dataFolder,
  })

/** Every commit here rings the bell, which carries it to those who wait here and, on Postgres, on other nodes. */
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

interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly now: () => number
  readonly containment: Containment
  readonly cgroups: Cgroups
  readonly ledger: string
  readonly keepers: string
  readonly version: string
  readonly vault: Vault
  readonly logins: Logins
  readonly salt: string
  readonly admission: Admission
  readonly outlived: Awaited<ReturnType<typeof findKeepers>>
  readonly browsers: { readonly folder: string; readonly outlived: Awaited<ReturnType<typeof findBrowsers>> }
}

function openPool(config: Config, machine: Machine): AgentPool {
  const {
    now,
    env: own,
    home,
    containment,
    ledger,
    keepers,
    version,
    outlived,
    vault,
    salt,
    logins,
    admission,
  } = machine
  const launchOf = async (
    { recipe, program, env, workspace, place, sandbox = null, home: kept = null }: AgentNeed,
    signal: AbortSignal,
  ): Promise<AgentLaunch> => {
    const logFolder = join(config.dataFolder, 'logs', 'agents', recipe.id)
    await mkdir(logFolder, { recursive: true })
    if (kept) await readyHome(config.dataFolder, kept, { home, path: own.PATH ?? '' })
    return {
      id: recipe.id,
      name: recipe.name,
      command: program,
      args: recipe.args,
      env,
      cwd: config.dataFolder,
      enter: place?.enter ?? [],
      containment,
      sandbox,
      ledger,
      keepers,
      compiled: compiledFolder(config, own),
      graceMs: graceMs(config),
      logFolder,
      hide: vault.known(workspace),
      clientName: 'carrel',
      clientVersion: version,
      login: recipe.login,
      install: recipe.install,
      initializeTimeoutMs: config.agentStartMs,
      signal,
      now,
    }
  }
  return createAgentPool({
    connect: async (need, signal) => {
      const cgroup = need.limits ? await machine.cgroups.need(need.limits) : null
      const launch = { ...(await launchOf(need, signal)), cgroup }
      return await logins.around(
        need.recipe,
        need.home ? (need.env.HOME ?? null) : null,
        () => connectAgent(launch),
        signal,
      )
    },
    resume: async (keeper, need) => await resumeAgent(keeper, await launchOf(need, new AbortController().signal)),
    bury: async (keeper) => {
      const note = outlived.find((each) => each.keeper === keeper)?.note
      if (note) await Promise.all([note.agent, note.keeper].map(({ tree, identity }) => killTree(tree, identity)))
      await dropKeeper(keepers, keeper)
    },
    salt,
    outlived: outlived.map(({ keeper }) => keeper),
    admission,
    idleMs: config.idleAgentMs,
  })
}

function openBrowsers(
  config: Config,
  machine: Machine & { readonly store: Store; readonly changed: (workspace: string) => void },
): BrowserPool {
  const { env, now, containment, ledger, admission, browsers, store, changed } = machine
  return createBrowserPool({
    program: () => needBrowser(config.browserCommand, env.PATH ?? ''),
    endpoint: config.browserEndpoint,
    ground: { folder: browsers.folder, ledger, containment, compiled: compiledFolder(config, env), now },
    admission,
    most: config.browsersAtOnce,
    waitMs: config.browserWaitMs,
    graceMs: graceMs(config),
    outlived: browsers.outlived,
    promised: () => store.ports.taken(),
    changed,
  })
}

async function makeDefaultWorkspace(ctx: Context): Promise<void> {
  if ((await ctx.store.tree.workspaces()).length > 0) return
  const workspace = { id: 'default' as WorkspaceId, name: 'Default', createdAt: ctx.now(), archivedAt: null }
  await ctx.store.tree.createWorkspace(workspace, ctx.now())
}

/** A random text of this installation, made once, readable by its owner only. */
async function keptSecret(dataFolder: string, name: string, bytes: number): Promise<string> {
  const path = join(dataFolder, name)
  // A secret that cannot be read is never replaced: each of its copies elsewhere would lose its meaning.
  const kept = await absentAsNull(readFile(path, 'utf8')).catch((thrown) => {
    throw fileTrouble(`${path} cannot be read.`, thrown)
  })
  if (kept?.trim()) {
    await chmod(path, 0o600)
    return kept.trim()
  }
  const made = randomBytes(bytes).toString('base64url')
  await writeFile(path, `${made}\n`, { mode: 0o600 })
  return made
}

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const

function createLog(level: Config['logLevel']): Log {
  const wanted = LEVELS.indexOf(level)
  const write = (name: (typeof LEVELS)[number], text: string, detail?: unknown) => {
    if (LEVELS.indexOf(name) > wanted) return
    const more = detail instanceof Error ? `\n${detail.stack ?? detail.message}` : ''
    process.stderr.write(`${new Date().toISOString()} ${name} ${text}${more}\n`)
  }
  return {
    error: (text, detail) => write('error', text, detail),
    warn: (text, detail) => write('warn', text, detail),
    info: (text) => write('info', text),
  }
}
