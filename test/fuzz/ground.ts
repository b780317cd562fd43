import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../src/client/client.ts'
import type { Project } from '../../src/model/tree.ts'
import { killAgents, type Server, startServer } from '../support/carrel-server.ts'
import { eventually } from '../support/carrel-session.ts'
import type { TestFolder } from '../support/carrel-world.ts'
import { FIRST_RULES } from './coverage.ts'
import { makeAsPerson } from './edits.ts'
import { Oracle } from './oracle.ts'
import { type Agent, firstEdits, type Story } from './plan.ts'
import { copyOf } from './tree.ts'

export const WORKSPACE = 'default'

const isRoot = process.getuid?.() === 0
const RIGHTS = '-dac_override,-dac_read_search'
const COMMAND = ['setpriv', `--bounding-set=${RIGHTS}`, `--inh-caps=${RIGHTS}`]

/** Root reads every file: the server starts without that right, and the fuzz keeps it to see the disk. */
const BOUND = isRoot && spawnSync('setpriv', ['--version']).status === 0 ? COMMAND : []
/** Whether files that the server cannot read are possible here. */
const HIDES = BOUND.length > 0

/** One server for many stories. A step that kills it runs alone, all others run at once. */
export class Ground {
  readonly testFolder: TestFolder
  /** Folder for the files with which agents and the fuzz wait for each other, outside of all working copies. */
  readonly gates: string
  #server: Server | null = null
  #running = 0
  #waiting: (() => void)[] = []
  #alone: Promise<void> = Promise.resolve()

  constructor(testFolder: TestFolder) {
    this.testFolder = testFolder
    this.gates = join(testFolder.root, 'gates')
    mkdirSync(this.gates)
  }

  get server(): Server {
    return this.#server as Server
  }

  get carrel(): Client {
    return this.server.carrel
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.testFolder, { flushMs: 5, outliveMs: 60_000 }, { through: BOUND })
  }

  /** Kills the server with `kill -9`, and starts another on its data. Agents go on meanwhile. */
  async kill(): Promise<void> {
    await this.server.kill()
    await this.start()
  }

  async close(): Promise<void> {
    await this.#server?.stop()
    killAgents(this.testFolder)
  }

  /** Runs a step beside others. */
  async beside<T>(job: () => Promise<T>): Promise<T> {
    await this.#alone
    this.#running += 1
    try {
      return await job()
    } finally {
      this.#running -= 1
      if (this.#running === 0) for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** Runs a step when no other runs; later ones wait for it. */
  async alone<T>(job: () => Promise<T>): Promise<T> {
    const earlier = this.#alone
    let done = () => {}
    this.#alone = new Promise((resolve) => {
      done = () => resolve()
    })
    await earlier
    while (this.#running > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await job()
    } finally {
      done()
    }
  }
}

/** A working copy with its oracle. */
export interface Place {
  readonly project: string
  readonly root: string
  readonly isCopy: boolean
  readonly space: string
  readonly oracle: Oracle
  /** Newest snapshot that was checked. */
  n: number
}

/** The working copies and sessions of one story. */
export interface Stage {
  readonly ground: Ground
  readonly folder: Place
  readonly copy: Place | null
  readonly sessions: ReadonlyMap<Agent, string>
}

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@localhost', ...args], { cwd, stdio: 'pipe' })

export async function openStage(ground: Ground, story: Story): Promise<Stage> {
  const { carrel } = ground
  const root = ground.testFolder.work()
  const oracle = new Oracle(FIRST_RULES, HIDES)
  for (const ready of oracle.edit('person', -1, firstEdits(story.filler))) makeAsPerson(root, ready)
  if (story.copy === 'worktree') {
    git(root, 'init', '-q')
    git(root, 'add', '-A')
    git(root, 'commit', '-qm', 'first')
  }
  const { space, project } = await carrel.call('spaces.create', { workspace: WORKSPACE, folder: root })
  const folder: Place = { project: project.id, root, isCopy: false, space: space.id, oracle, n: 0 }
  const copy = story.copy === null ? null : await openCopy(ground, folder, story.copy)
  const sessions = new Map<Agent, string>()
  for (const agent of copy ? (['a', 'b', 'c'] as const) : (['a', 'b'] as const)) {
    const place = agent === 'c' ? (copy as Place) : folder
    const made = { workspace: WORKSPACE, project: place.project, agent: 'scripted' }
    sessions.set(agent, (await carrel.call('sessions.create', made)).id)
  }
  return { ground, folder, copy, sessions }
}

async function openCopy({ carrel }: Ground, folder: Place, kind: 'worktree' | 'overlay'): Promise<Place> {
  const driver = kind === 'overlay' ? { driver: 'copy' } : {}
  const asked = { workspace: WORKSPACE, space: folder.space, name: 'Apart', place: kind, ...driver }
  const { id } = await carrel.call('projects.create', asked)
  const shown = async (): Promise<Project> =>
    (await carrel.call('projects.list', { workspace: WORKSPACE })).projects.find((one) => one.id === id) as Project
  await eventually('the working copy exists', async () => (await shown()).place.state !== 'making')
  const { place } = await shown()
  if (place.state !== 'ready') throw new Error(`The working copy is ${JSON.stringify(place)}.`)
  const oracle = new Oracle(FIRST_RULES, HIDES)
  oracle.tree = copyOf(folder.oracle.tree)
  return { project: id, root: place.path, isCopy: true, space: folder.space, oracle, n: 0 }
}

export async function closeStage({ ground, sessions }: Stage): Promise<void> {
  for (const id of sessions.values()) await ground.carrel.call('sessions.close', { workspace: WORKSPACE, id })
}
