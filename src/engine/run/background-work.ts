import type { AgentConnection } from '../../host/agent/agent.ts'
import type { Item, ToolItem } from '../../model/events/items.ts'
import { type AgentView, EMPTY_INDEX } from '../../model/events/view.ts'
import type { Afterwords } from '../agents/afterwords.ts'

/** Most parts that are named, and characters of each. */
const MOST = 20
const CHARS = 120
/** The log notes the beginning of a tool call a moment after it. ms. */
const LATE_MS = 1_000
/** Ages of processes are exact to this. ms. */
const GRAIN_MS = 10

export interface OpenConversation {
  readonly queue: Afterwords
  readonly connection: Pick<AgentConnection, 'descendants'>
  /** Whether the process never had two runs at once, so that what begins during a run is the run's. */
  readonly alone: boolean
}

/**
 * Returns the parts of an agent's work that go on after its run: tool calls that are open, terminals that run, and
 * commands of the run that left a process. Helpers that an agent starts by itself do not count.
 * @param item finds an item of the session
 */
export async function backgroundWork(
  conversation: OpenConversation,
  { ended }: Pick<AgentView, 'ended'>,
  item: (n: number) => Item | undefined,
  now: () => number,
): Promise<string[]> {
  const { index = EMPTY_INDEX, outcome } = ended ?? {}
  // The tool calls of a run that was cut off were cut off with it.
  const left = outcome === 'completed' ? (ended?.left ?? []) : []
  const tools = Object.entries(index.tools).flatMap(([id, n]) => {
    const found = item(n)
    return found?.kind === 'tool' ? [{ id, tool: found }] : []
  })
  const open = tools.filter(({ id }) => left.includes(id) || index.begun.includes(id)).map(({ tool }) => tool.title)
  const commands = tools.flatMap(({ tool }) => (tool.toolKind === 'execute' ? [tool] : []))
  const leaving = conversation.alone ? await leavingProcesses(commands, conversation, now) : []
  const parts = [...new Set([...open, ...(conversation.queue.session?.terminals() ?? []), ...leaving])]
  return parts.slice(0, MOST).map((part) => part.slice(0, CHARS))
}

/**
 * Returns the titles of the commands that began a process which still runs. The queue remembers them: a later run has
 * other commands.
 */
async function leavingProcesses(
  commands: readonly ToolItem[],
  { queue, connection }: OpenConversation,
  now: () => number,
): Promise<string[]> {
  if (commands.length === 0 && queue.processes.size === 0) return []
  const asked = now()
  const rows = (await connection.descendants()).filter(({ zombie }) => !zombie)
  const seenAt = now()
  const below = new Set(rows.map(({ pid }) => pid))
  const before = queue.processes
  queue.processes = new Map()
  for (const { pid, startTicks, parent, ageMs } of rows) {
    const id = `${pid}:${startTicks}`
    // Between the question and its answer, and to the grain of an age.
    const [earliest, latest] = [asked - ageMs - GRAIN_MS, seenAt - ageMs + GRAIN_MS]
    const began = commands.find(
      ({ startedAt, endedAt }) => latest >= startedAt - LATE_MS && earliest <= (endedAt ?? seenAt),
    )
    const title = before.get(id) ?? (below.has(parent) ? undefined : began?.title)
    if (title !== undefined) queue.processes.set(id, title)
  }
  return [...queue.processes.values()]
}
