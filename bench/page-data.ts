import { dirname, join } from 'node:path'
import { typeid } from 'typeid-js'
import { refold } from '../src/engine/folding.ts'
import type { Outcome } from '../src/model/events.ts'
import type { PromptId, RunId, SessionId } from '../src/model/ids.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import type { Lease, Store } from '../src/store/store.ts'
import { WORKSPACE, type World } from '../test/browser/world.ts'

const ITEMS_PER_RUN = 50
const LEASE_MS = 600_000
const ADA = { name: 'ada', kind: 'person', face: 'web' } as const

/**
 * Writes runs into a session's log straight through the store, until it has about `items` items. The server must be
 * stopped meanwhile, since the folder is one process's at a time.
 */
export async function fillSession(world: World, session: SessionId, items: number): Promise<void> {
  const store = await openSqlite({ path: join(dirname(dirname(world.folder)), 'data', 'carrel.db') })
  try {
    const lease = await store.leases.acquire(`session:${session}`, 'bench', LEASE_MS, Date.now())
    if (!lease) throw new Error('Somebody holds the session.')
    for (let made = 0; made < items; made += ITEMS_PER_RUN) await addRun(store, lease, session, made)
    const fold = await refold(store, session)
    await store.log.rebuild(session, fold)
    await store.log.settle(lease, session, { ...fold, items: [] }, null, Date.now())
    await store.leases.release(lease)
  } finally {
    await store.close()
  }
}

async function addRun(store: Store, lease: Lease, session: SessionId, from: number): Promise<void> {
  const prompt = typeid('pmt').toString() as PromptId
  const run = typeid('run').toString() as RunId
  const content = [{ type: 'text' as const, text: `Prompt ${from}: go on with the next bed and say what you find.` }]
  await store.log.submit(
    WORKSPACE,
    session,
    { type: 'prompt.requested', data: { prompt, content, agent: 'scripted', busy: 'queue', by: ADA } },
    { now: Date.now() },
  )
  const place = { kind: 'direct' as const, path: '/home/ada/garden' }
  const outcomes: Outcome[] = [
    { type: 'run.admitted', data: { run, prompt, agent: 'scripted', place, budgetMs: null } },
    { type: 'run.started', run, data: { run, acpSession: 'bench' } },
  ]
  for (let at = 1; at < ITEMS_PER_RUN; at += 1) outcomes.push(...itemAt(run, from + at))
  outcomes.push({
    type: 'run.ended',
    run,
    data: { run, outcome: 'completed', stopReason: 'end_turn', usage: null, error: null, halfDone: [] },
  })
  await store.log.record(lease, session, { outcomes }, Date.now())
}

/** Every kind by turns, in sizes as agents have them. */
function itemAt(run: RunId, n: number): Outcome[] {
  const say = (update: unknown): Outcome => ({ type: 'agent.update', run, data: { acp: 1, agent: 'scripted', update } })
  const words = (sessionUpdate: string, text: string): Outcome =>
    say({ sessionUpdate, content: { type: 'text', text } })
  switch (n % 5) {
    case 0:
      return [words('agent_message_chunk', message(n))]
    case 1:
      return [words('agent_thought_chunk', `Thinking about bed ${n}. What stands beside it matters most.`)]
    case 2:
      return [
        say(toolCall(n, 'execute', { rawInput: { command: `ls -l bed-${n}` }, content: [textPart(lines(n, 12))] })),
      ]
    case 3:
      return [say(toolCall(n, 'edit', { content: [diffPart(n)] }))]
    default:
      return [say(toolCall(n, 'read', { locations: [{ path: `/home/ada/garden/beds/${n}.txt` }] }))]
  }
}

function message(n: number): string {
  if (n % 50 === 0) return `## Bed ${n}\n\n${CODE}\n\n| Bed | Now |\n|---|---|\n| ${n} | beans |\n`
  return `Bed **${n}** is dry; \`water ${n}\` would help. ${'It gets little sun before noon. '.repeat(1 + (n % 4))}`
}

const CODE = '```ts\nexport const dry = (beds: readonly Bed[]) => beds.filter((bed) => bed.water < 2)\n```'
const lines = (n: number, count: number): string =>
  Array.from({ length: count }, (_, at) => `-rw-r--r-- 1 ada ada ${n * at} row-${at}.txt`).join('\n')
const textPart = (text: string) => ({ type: 'content', content: { type: 'text', text } })
const diffPart = (n: number) => ({
  type: 'diff',
  path: `/home/ada/garden/beds/${n}.txt`,
  oldText: `beans\npeas ${n}\nleek\n`,
  newText: `beans\npeas ${n + 1}\nleek\nlettuce\n`,
})

function toolCall(n: number, kind: string, more: object) {
  return {
    sessionUpdate: 'tool_call',
    toolCallId: `call-${n}`,
    title: `${kind} ${n}`,
    kind,
    status: 'completed',
    ...more,
  }
}
