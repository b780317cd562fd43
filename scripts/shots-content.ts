import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AgentRecipe } from '../src/model/agent.ts'
import type { SessionId } from '../src/model/ids.ts'
import { openSession, WORKSPACE, type World } from '../test/browser/world.ts'

const REVIEW = `Here is what I found in the garden plan.

## What is wrong

1. **Beans** and **onions** stand side by side. They hold each other back.
2. The bed at the wall gets no sun before noon, so \`tomatoes.csv\` promises too much.

| Bed | Now | Better |
|---|---|---|
| North | onions | lettuce |
| Wall | tomatoes | ferns |
| South | beans | beans, then leek |

The order can be computed instead of kept by hand:

\`\`\`ts
export function order(beds: readonly Bed[]): Bed[] {
  // The sunniest bed first; equal ones by name, so that the list is stable.
  return beds.toSorted((a, b) => b.sunHours - a.sunHours || a.name.localeCompare(b.name))
}
\`\`\`

> A plan that nobody can read in the rain is no plan.

I will change the plan now, and ask before I write.`

/** The steps of the agent, by prompt. */
const BOOK: Record<string, readonly unknown[]> = {
  'Look through the plan and tell me what is wrong with it.': [
    { think: 'Two files. The plan is short; the readme says what it is for.' },
    { say: REVIEW, chunks: 4, delayMs: 1 },
    {
      plan: [
        entry('Read the plan', 'completed'),
        entry('Check neighbours', 'completed'),
        entry('Write it down', 'completed'),
      ],
    },
    { read: 'plan.txt' },
    { run: 'wc -l plan.txt README.md && printf "beans are in row 1\\n"' },
    { usage: { used: 18_400, size: 200_000 } },
  ],
  'Put something useful after the beans.': [
    { think: 'Leek after beans is the classic.' },
    {
      say: 'The beans are harvested in August. I put **leek** after them and keep the peas where they are.',
      delayMs: 1,
    },
    {
      plan: [
        entry('Read the plan', 'completed'),
        entry('Put leek after the beans', 'in_progress'),
        entry('Tell what changed', 'pending'),
      ],
    },
    { read: 'plan.txt' },
    { write: 'plan.txt', content: 'beans, then leek\npeas\nlettuce (north bed)\n' },
  ],
  'Order seeds for the south bed.': [
    { say: 'Before I order seeds I need to know a few things.', delayMs: 1 },
    {
      form: {
        message: 'What shall I order?',
        schema: {
          type: 'object',
          required: ['sort', 'packets'],
          properties: {
            sort: { type: 'string', title: 'Sort', enum: ['Bush bean', 'Runner bean', 'Broad bean'] },
            packets: { type: 'integer', title: 'Packets', description: 'One is enough for two rows.', minimum: 1 },
            note: { type: 'string', title: 'Note to the shop' },
            organic: { type: 'boolean', title: 'Organic only', default: true },
          },
        },
      },
    },
  ],
  'Will it rain?': [
    { say: 'I ask the weather service for the next days.', delayMs: 1 },
    { stderr: 'error: connect ECONNREFUSED 127.0.0.1:9\n    at the weather service' },
    { fail: 'The weather service does not answer.' },
  ],
  'Check all beds.': [
    { say: 'I go through the beds one by one.\n\n', delayMs: 1 },
    { run: 'for bed in north wall south; do echo "bed: $bed"; done' },
    { hang: true },
  ],
}

function entry(content: string, status: string) {
  return { content, status, priority: 'medium' }
}

/** Returns the agent of the screenshots. Its book is written into the folder. */
export function gardener(folder: string): Partial<AgentRecipe> & { id: string } {
  const book = join(folder, 'book.json')
  writeFileSync(book, JSON.stringify(BOOK))
  const program = fileURLToPath(new URL('shots-agent.mjs', import.meta.url))
  return { id: 'gardener', name: 'Gardener', command: process.execPath, args: [program, book] }
}

/** Makes sessions of every kind with the scripted agent. Returns their ids. */
export async function fillWorld(
  world: World,
): Promise<Record<'finished' | 'waiting' | 'form' | 'failed' | 'running' | 'empty', SessionId>> {
  const { carrel } = world
  const { session: finished, project } = await openSession(world, 'Review the garden plan', 'gardener')
  const open = async (name: string) =>
    (await carrel.call('sessions.create', { workspace: WORKSPACE, project: project.id, agent: 'gardener', name })).id
  const ids = {
    finished: finished.id,
    waiting: await open('Leek after beans'),
    form: await open('Order seeds'),
    failed: await open('Watch the weather, and water the beds only where no rain is expected until the weekend'),
    running: await open('Check all beds'),
    empty: await open('Ideas'),
  }
  const ask = (id: SessionId, content: string, wait: 'accepted' | 'ended' = 'accepted') =>
    carrel.call('sessions.prompt', { workspace: WORKSPACE, id, content, wait, timeoutMs: 20_000 })
  await ask(ids.finished, 'Look through the plan and tell me what is wrong with it.', 'ended')
  await ask(ids.failed, 'Will it rain?', 'ended')
  await ask(ids.waiting, 'Put something useful after the beans.')
  await ask(ids.form, 'Order seeds for the south bed.')
  await ask(ids.running, 'Check all beds.')
  await ask(ids.running, 'Then write a list of what is missing.')
  await untilOpen(world, 2)
  return ids
}

/** Waits until the given number of questions are open. */
async function untilOpen({ carrel }: World, wanted: number): Promise<void> {
  for (;;) {
    const { interactions } = await carrel.call('interactions.list', { workspace: WORKSPACE, state: 'open' })
    if (interactions.length >= wanted) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
