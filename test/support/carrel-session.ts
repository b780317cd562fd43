import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Carrel, Input, Output } from '../../src/api/index.ts'
import { type Event, type EventOf, type EventType, parseEvent } from '../../src/model/events/events.ts'
import type { Item } from '../../src/model/events/items.ts'
import type { SessionView } from '../../src/model/events/view.ts'
import type { Run, Session, Space } from '../../src/model/tree.ts'

/** The longest wait, in ms. Nothing takes that long even on a busy machine: only a failing test waits for it. */
const PATIENCE_MS = 90_000

/** A step of the scripted agent; `scripted-agent/script.ts` lists the steps. */
export type Step = Readonly<Record<string, unknown>>
type PromptOptions = Omit<Partial<Input<'sessions.prompt'>>, 'workspace' | 'id' | 'content'>

/** A session under test, reached through one face. Every wait follows the log; nothing sleeps. */
export interface TestSession {
  readonly carrel: Carrel
  readonly workspace: string
  readonly id: string
  readonly space: Space
  readonly project: string
  /** The working folder of the session. */
  readonly folder: string
  path(...parts: string[]): string
  /** Releases a `gate` step. */
  open(gate: string): void
  prompt(content: string | readonly Step[], options?: PromptOptions): Promise<Output<'sessions.prompt'>>
  /** Sends a prompt and waits for the end of its run. */
  run(content: string | readonly Step[], options?: PromptOptions): Promise<EventOf<'run.ended'>['data']>
  /**
   * Waits for the first event after `after` that `fits` accepts.
   * @throws Error with the log in its message after a generous time
   */
  until<T extends EventType>(type: T, fits?: (event: EventOf<T>) => boolean, after?: number): Promise<EventOf<T>>
  /** Waits for the end of the run that this prompt begins; returns at once when the run is over. */
  endOf(prompt: string): Promise<EventOf<'run.ended'>>
  log(): Promise<Event[]>
  eventsOf<T extends EventType>(type: T): Promise<EventOf<T>[]>
  items(): Promise<Item[]>
  item<K extends Item['kind']>(kind: K): Promise<Extract<Item, { kind: K }>>
  view(): Promise<SessionView>
  row(): Promise<Session>
  runs(): Promise<Run[]>
  answer(interaction: string, option: string): Promise<Output<'interactions.answer'>>
  /** Returns the same session through another caller or another server. */
  through(carrel: Carrel): TestSession
}

/** Builds a prompt that orders these steps. */
export const order = (steps: readonly Step[]): string => `@@do ${JSON.stringify(steps)} @@end`

export interface SessionOptions {
  readonly agent?: string
  readonly workspace?: string
  /** Another session, whose project this one shares. */
  readonly beside?: TestSession
  /** A folder below the world's root, created where it does not exist. */
  readonly folder: string
}

export async function createTestSession(carrel: Carrel, options: SessionOptions): Promise<TestSession> {
  const workspace = options.workspace ?? 'default'
  const agent = options.agent ?? 'scripted'
  const made = options.beside
    ? { space: options.beside.space, project: { id: options.beside.project } }
    : await makeSpace(carrel, workspace, options.folder)
  const { id } = await carrel.call('sessions.create', { workspace, project: made.project.id, agent })
  return testSession(carrel, { workspace, id, space: made.space, project: made.project.id })
}

function makeSpace(carrel: Carrel, workspace: string, folder: string) {
  mkdirSync(folder, { recursive: true })
  return carrel.call('spaces.create', { workspace, folder })
}

export function testSession(
  carrel: Carrel,
  { workspace, id, space, project }: { workspace: string; id: string; space: Space; project: string },
): TestSession {
  const at = { workspace, id }
  const path = (...parts: string[]) => join(space.folder, ...parts)
  const log = () => readLog(carrel, at)
  const until: TestSession['until'] = (type, fits, after) => waitFor(session, type, fits, after)
  const session: TestSession = {
    carrel,
    ...at,
    space,
    project,
    folder: space.folder,
    path,
    open: (gate) => writeFileSync(path(gate), ''),
    prompt: (content, more) =>
      carrel.call('sessions.prompt', {
        ...at,
        content: typeof content === 'string' ? content : order(content),
        ...more,
      }),
    async run(content, more) {
      const { prompt } = await session.prompt(content, more)
      return (await session.endOf(prompt)).data
    },
    until,
    async endOf(prompt) {
      const admitted = await until('run.admitted', (event) => event.data.prompt === prompt)
      return await until('run.ended', (event) => event.data.run === admitted.data.run, admitted.seq)
    },
    log,
    eventsOf: async (type) => (await log()).filter((event) => event.type === type) as never,
    items: async () => (await carrel.call('sessions.view', { ...at, limit: 500 })).items,
    async item(kind) {
      const found = (await session.items()).filter((each) => each.kind === kind)
      if (found.length !== 1) throw new Error(`there are ${found.length} items of kind ${kind}, not one`)
      return found[0] as never
    },
    view: async () => (await carrel.call('sessions.view', at)).view,
    row: () => carrel.call('sessions.get', at),
    runs: async () => (await carrel.call('runs.list', { workspace, session: id, limit: 500 })).runs,
    answer: (interaction, option) =>
      carrel.call('interactions.answer', { workspace, id: interaction, answer: { option } }),
    through: (other) => testSession(other, { workspace, id, space, project }),
  }
  return session
}

async function readLog(carrel: Carrel, at: { workspace: string; id: string }): Promise<Event[]> {
  const events: Event[] = []
  for (;;) {
    const page = await carrel.call('sessions.events', { ...at, after: events.length, limit: 5_000 })
    events.push(...page.events.map(parseEvent))
    if (page.events.length < 5_000) return events
  }
}

async function waitFor<T extends EventType>(
  { carrel, workspace, id, log }: TestSession,
  type: T,
  fits: (event: EventOf<T>) => boolean = () => true,
  after = 0,
): Promise<EventOf<T>> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const stop = new AbortController()
  const target = { kind: 'session' as const, workspace, session: id, after }
  try {
    for await (const followed of carrel.follow([target], AbortSignal.any([signal, stop.signal]))) {
      if (followed.kind !== 'event') continue
      const event = parseEvent(JSON.parse(followed.json))
      if (event.type === type && fits(event as EventOf<T>)) return event as EventOf<T>
    }
  } finally {
    stop.abort()
  }
  throw new Error(`No ${type} that fits came after ${after}. The log is:\n${summary(await log())}`)
}

/** Polls until the condition holds: for conditions without an event, such as a file that a command creates. */
export async function eventually(
  condition: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Condition not met within ${withinMs} ms: ${condition}.`)
    await pause(10)
  }
}

export const appears = (path: string): Promise<void> => eventually(`${path} exists`, () => existsSync(path))

/** Renders a log in lines for the message of a failed test. */
function summary(log: readonly Event[]): string {
  return log.map((event) => `${event.seq} ${event.type} ${JSON.stringify(event.data).slice(0, 300)}`).join('\n')
}

/** Joins the texts of all agent messages, in order. */
export const textOf = (items: readonly Item[]): string =>
  items.flatMap((item) => (item.kind === 'message' && item.role === 'agent' ? [item.text] : [])).join('')
