import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { HeldLimit, HeldLimits } from '../../model/environment.ts'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Obstacle } from '../sandbox/probe.ts'
import { type Cgroup, dropCgroup, enterWords, foldersOf, makeCgroup } from './cgroup.ts'
import { divide, groundOf } from './divide.ts'
import { CONTROLLERS, type Seat, seatIn, type Version } from './hierarchies.ts'
import { keptBySystemd } from './systemd.ts'

/** Where cgroups that keep a limit are made. */
export interface Way {
  readonly version: Version
  readonly folder: string
}

export interface Cgroups {
  /** How this machine keeps a limit, or why it cannot. Tries it for real; what works is not tried again. */
  wayOf(limit: HeldLimit): Promise<{ readonly way: Way } | { readonly obstacle: NonNullable<Obstacle> }>
  /** Gives what makes a plan of a cgroup by its name. @throws unavailable where a limit cannot be kept, with what to do (F8) */
  need(limits: HeldLimits): Promise<(name: string) => Cgroup>
}

interface Machine {
  /** Stands for /proc/self: who this process is to the machine. */
  readonly self?: string
  readonly platform?: string
  /** Where programs are looked for. */
  readonly path: string
}

export const WHAT: Readonly<Record<HeldLimit, string>> = { memoryBytes: 'memory', pids: 'processes' }
const run = promisify(execFile)
const TRY_MS = 5_000
/** Enough for a shell. */
const TRIED: Readonly<Record<HeldLimit, number>> = { memoryBytes: 67_108_864, pids: 64 }
const START =
  'Start Carrel in a cgroup of its own: `systemd-run --user --scope -p Delegate=yes carrel`, or with Delegate=yes and DelegateSubgroup=carrel in its unit. In a container, give it its cgroup to write.'

/** The limits of memory and processes that this machine can keep. */
export function openCgroups({ self = '/proc/self', platform = process.platform, path }: Machine): Cgroups {
  const good = new Map<HeldLimit, Way>()
  const looks = createSerial()
  const look: Cgroups['wayOf'] = async (limit) => {
    const known = good.get(limit)
    if (known) return { way: known }
    const found = await find(limit, self, platform, path)
    if ('way' in found) good.set(limit, found.way)
    return found
  }
  // One after the other, since a look may divide the cgroup.
  const wayOf: Cgroups['wayOf'] = (limit) => looks.run(() => look(limit))
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
  const text = `A limit of ${WHAT[limit]} is asked for, and this machine cannot keep one. ${why} ${next} Nothing runs without it unless somebody takes the limit away (\`carrel env set --unset limits.${limit}\`).`
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
      `Such limits are kept by cgroups, which there are on Linux only, and this is ${platform}.`,
      'Run Carrel on Linux, or in a virtual machine with Linux.',
    )
  const seats = seatsOf(limit, self)
  const seat = seats.find((each) => hasController(each, limit)) ?? seats.find(({ version }) => version === 'v1')
  if (!seat)
    return seats[0]
      ? no(`The cgroup of Carrel (${seats[0].path}) is not given the controller ${CONTROLLERS.v2[limit].name}.`)
      : no('This machine shows Carrel no cgroup that could keep it.')
  const unit = await keptBySystemd(seat.path, path)
  if (unit) return no(`systemd keeps the cgroup of ${unit} to itself.`)
  try {
    if (seat.version === 'v2') await divide(seat, CONTROLLERS.v2[limit].name)
    const way = { version: seat.version, folder: groundOf(seat) }
    await attempt(limit, way, path)
    return { way }
  } catch (thrown) {
    const { stderr = '', message } = thrown as Error & { stderr?: string }
    const said = stderr.trim().split('\n')[0] || message
    return no(`The cgroup of Carrel (${seat.folder}) cannot keep it: ${said.replace(/\.?$/, '.')}`)
  }
}

const no = (why: string, next = START) => ({ obstacle: { why, next } })

/** Version 2 first: where both are, the newer has what the older was not given. */
function seatsOf(limit: HeldLimit, self: string): Seat[] {
  const read = (name: string) => absentAsNullSync(() => readFileSync(join(self, name), 'utf8')) ?? ''
  const files = { cgroup: read('cgroup'), mountinfo: read('mountinfo') }
  return [seatIn(files, null), seatIn(files, CONTROLLERS.v1[limit].name)].filter((seat) => seat !== null)
}

function hasController(seat: Seat, limit: HeldLimit): boolean {
  if (seat.version === 'v1') return false
  const given = absentAsNullSync(() => readFileSync(join(groundOf(seat), 'cgroup.controllers'), 'utf8')) ?? ''
  return given.trim().split(' ').includes(CONTROLLERS.v2[limit].name)
}

/** Makes one, has a process enter it, and takes it away. @throws Error where any of it fails */
async function attempt(limit: HeldLimit, way: Way, path: string): Promise<void> {
  const plan = planOf(`carrel-try-${randomUUID()}`, { [limit]: TRIED[limit] }, new Map([[limit, way]]))
  makeCgroup(plan)
  try {
    const [program = '', ...words] = enterWords(plan)
    await run(program, [...words, 'true'], { env: { PATH: path }, timeout: TRY_MS, killSignal: 'SIGKILL' })
  } finally {
    await dropCgroup(foldersOf(plan))
  }
}
