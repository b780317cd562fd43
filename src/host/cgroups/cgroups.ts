import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CarrelError } from '../../model/errors.ts'
import type { HeldLimit, HeldLimits } from '../../model/settings/environment.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Obstacle } from '../obstacle.ts'
import { type Cgroup, dropCgroup, enterCommand, foldersOf, makeCgroup } from './cgroup.ts'
import { divide, parentFolder } from './divide.ts'
import { type CgroupPosition, type CgroupVersion, CONTROLLERS, positionIn } from './hierarchies.ts'
import { keptBySystemd } from './systemd.ts'

/** Parent folder for cgroups that enforce a limit. */
interface Way {
  readonly version: CgroupVersion
  readonly folder: string
}

export interface Cgroups {
  /** Finds how this machine can enforce a limit, or why it cannot, by a real attempt. Success is cached. */
  wayOf(limit: HeldLimit): Promise<{ readonly way: Way } | { readonly obstacle: NonNullable<Obstacle> }>
  /** Returns a function that plans a cgroup by name. @throws unavailable where a limit cannot be enforced (F8) */
  need(limits: HeldLimits): Promise<(name: string) => Cgroup>
}

interface Machine {
  /** Replacement for /proc/self, for tests. */
  readonly self?: string
  readonly platform?: string
  /** PATH for programs. */
  readonly path: string
}

export const WHAT: Readonly<Record<HeldLimit, string>> = { memoryBytes: 'memory', pids: 'processes' }
const run = promisify(execFile)
const TRY_MS = 5_000
/** Limits that suffice for a shell. */
const TRIED: Readonly<Record<HeldLimit, number>> = { memoryBytes: 67_108_864, pids: 64 }
const START =
  'Start Carrel in a cgroup of its own: `systemd-run --user --scope -p Delegate=yes carrel`, or with Delegate=yes and DelegateSubgroup=carrel in its unit. In a container, make its cgroup writable.'

/** Opens the memory and process limits of this machine. */
export function openCgroups({ self = '/proc/self', platform = process.platform, path }: Machine): Cgroups {
  const good = new Map<HeldLimit, Way>()
  const attempts = createSerial()
  const findWay: Cgroups['wayOf'] = async (limit) => {
    const known = good.get(limit)
    if (known) return { way: known }
    const found = await find(limit, self, platform, path)
    if ('way' in found) good.set(limit, found.way)
    return found
  }
  // Attempts run one at a time, because an attempt may divide the cgroup.
  const wayOf: Cgroups['wayOf'] = (limit) => attempts.run(() => findWay(limit))
  return {
    wayOf,
    async need(limits) {
      const ways = new Map<HeldLimit, Way>()
      for (const limit of limitsIn(limits)) {
        const found = await wayOf(limit)
        if ('obstacle' in found) throw refused(limit, found.obstacle)
        ways.set(limit, found.way)
      }
      return (name) => planOf(name, limits, ways)
    },
  }
}

const limitsIn = (limits: HeldLimits): HeldLimit[] =>
  (['memoryBytes', 'pids'] as const).filter((limit) => limits[limit] !== undefined)

function refused(limit: HeldLimit, { why, next }: NonNullable<Obstacle>): CarrelError {
  const text = `A limit of ${WHAT[limit]} is set, and this machine cannot enforce it. ${why} ${next} To run without it, remove the limit (\`carrel env set --unset limits.${limit}\`).`
  return new CarrelError('unavailable', text, { limit, next })
}

function planOf(name: string, limits: HeldLimits, ways: ReadonlyMap<HeldLimit, Way>): Cgroup {
  const parts = [...ways].map(([limit, { version, folder }]) => {
    const { settings, reached } = CONTROLLERS[version][limit]
    const path = join(folder, name)
    const at = limits[limit] ?? 0
    return { path, settings: settings(at), limit: { limit, at, file: join(path, reached[0]), key: reached[1] } }
  })
  const paths = [...new Set(parts.map(({ path }) => path))]
  return {
    folders: paths.map((path) => ({
      path,
      settings: parts.filter((part) => part.path === path).flatMap(({ settings }) => settings),
    })),
    limits: parts.map(({ limit }) => limit),
  }
}

async function find(limit: HeldLimit, self: string, platform: string, path: string): ReturnType<Cgroups['wayOf']> {
  if (platform !== 'linux')
    return no(
      `Such limits need cgroups, which exist on Linux only; this machine runs ${platform}.`,
      'Run Carrel on Linux, or in a virtual machine with Linux.',
    )
  const positions = positionsOf(limit, self)
  const position =
    positions.find((each) => hasController(each, limit)) ?? positions.find(({ version }) => version === 'v1')
  if (!position)
    return positions[0]
      ? no(`The cgroup of Carrel (${positions[0].path}) does not have the controller ${CONTROLLERS.v2[limit].name}.`)
      : no('Carrel finds no cgroup on this machine that could enforce it.')
  const unit = await keptBySystemd(position.path, path)
  if (unit) return no(`systemd does not delegate the cgroup of ${unit}.`)
  try {
    if (position.version === 'v2') await divide(position, CONTROLLERS.v2[limit].name)
    const way = { version: position.version, folder: parentFolder(position) }
    await attempt(limit, way, path)
    return { way }
  } catch (thrown) {
    const { stderr = '', message } = thrown as Error & { stderr?: string }
    const reason = stderr.trim().split('\n')[0] || message
    return no(`The cgroup of Carrel (${position.folder}) cannot enforce it: ${reason.replace(/\.?$/, '.')}`)
  }
}

const no = (why: string, next = START) => ({ obstacle: { why, next } })

/** Prefers version 2: where both exist, it has the controllers that version 1 was not given. */
function positionsOf(limit: HeldLimit, self: string): CgroupPosition[] {
  const read = (name: string) => absentAsNullSync(() => readFileSync(join(self, name), 'utf8')) ?? ''
  const files = { cgroup: read('cgroup'), mountinfo: read('mountinfo') }
  return [positionIn(files, null), positionIn(files, CONTROLLERS.v1[limit].name)].filter(
    (position) => position !== null,
  )
}

function hasController(position: CgroupPosition, limit: HeldLimit): boolean {
  if (position.version === 'v1') return false
  const given = absentAsNullSync(() => readFileSync(join(parentFolder(position), 'cgroup.controllers'), 'utf8')) ?? ''
  return given.trim().split(' ').includes(CONTROLLERS.v2[limit].name)
}

/** Makes a cgroup, starts a process in it and removes it. @throws Error when any step fails */
async function attempt(limit: HeldLimit, way: Way, path: string): Promise<void> {
  const plan = planOf(`carrel-try-${randomUUID()}`, { [limit]: TRIED[limit] }, new Map([[limit, way]]))
  makeCgroup(plan)
  try {
    const [program = '', ...args] = enterCommand(plan)
    await run(program, [...args, 'true'], { env: { PATH: path }, timeout: TRY_MS, killSignal: 'SIGKILL' })
  } finally {
    await dropCgroup(foldersOf(plan))
  }
}
