import type { SessionData } from '../data/session-data.ts'
import { ADA, PROJECT, ROOT, sessionExample, tail, textPart } from './example-log.ts'

const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAFElEQVR4nGNkaGBgwA2Y8MiNYGkAo2oAih+4ZlIAAAAASUVORK5CYII='
const LONG_PATH = `${ROOT}/beds/${'a-folder-with-a-long-name/'.repeat(6)}the-file-at-the-end-of-it.txt`
const UNBROKEN = 'abcdefghij'.repeat(60)
const MARKDOWN = `# Findings

Two **beds** stand side by side, with \`plan.txt\` between them.

1. Beans
2. Onions
   - red
   - white

| Bed | Now | Better |
|---|---|---|
| North | onions | lettuce |

\`\`\`ts
export const dry = (beds: readonly Bed[]) => beds.filter((bed) => bed.water < 2)
\`\`\`

> A plan that nobody can read in the rain is no plan.`

/** Items of every kind and state, by title. */
export function itemExamples(now: number): Readonly<Record<string, SessionData>> {
  return {
    'Messages and thoughts': messages(now),
    'Tool calls': tools(now),
    'Ends of runs': ends(now),
    'Changed files': filesOf(now),
    Extremes: extremes(now),
  }
}

function messages(now: number): SessionData {
  const { ask, say, think, update, add, end, data } = sessionExample(now - 200_000)
  ask('Look through the plan.', [
    { type: 'image', data: PICTURE, mimeType: 'image/png' },
    { type: 'resource_link', uri: `file://${ROOT}/plan.txt`, name: 'plan.txt' },
  ])
  think('Two files. The plan is short; the readme says what it is for.')
  say(MARKDOWN)
  update('agent_message_chunk', { content: { type: 'image', data: PICTURE, mimeType: 'image/png' } })
  update('plan', {
    entries: [
      { content: 'Read the plan', priority: 'medium', status: 'completed' },
      { content: 'Check neighbours', priority: 'high', status: 'in_progress' },
      { content: 'Write it down', priority: 'low', status: 'pending' },
    ],
  })
  for (const level of ['info', 'warning', 'error']) add('notice.given', { level, text: `A notice of level ${level}.` })
  update('weather_report', { sky: 'clear', degrees: 21 })
  end('completed', { usage: { totalTokens: 18_400, cost: { amount: 0.042, currency: 'USD' } } })
  return data()
}

function tools(now: number): SessionData {
  const { ask, tool, data } = sessionExample(now - 60_000)
  ask('Use every tool.')
  tool('Read plan.txt', 'read', 'completed', { locations: [{ path: `${ROOT}/plan.txt`, line: 12 }] })
  tool('Edit beds.ts', 'edit', 'completed', {
    content: [
      {
        type: 'diff',
        path: `${ROOT}/src/beds.ts`,
        oldText: 'export const beds = [\n  "north",\n  "wall",\n]\n// end\n',
        newText: 'export const beds = [\n  "north",\n  "south",\n  "wall",\n]\n// end\n',
      },
    ],
  })
  tool('npm test', 'execute', 'failed', {
    rawInput: { command: 'npm test' },
    rawOutput: { exitCode: 1, output: '1 of 12 failed\n  beds.test.ts: north is dry\n' },
  })
  tool('ls', 'execute', 'completed', { rawInput: { command: 'ls' }, rawOutput: { exit_code: 0, stdout: 'plan.txt\n' } })
  tool('Search for beans', 'search', 'completed', { content: [textPart('plan.txt:1: beans')] })
  tool('Fetch the weather', 'fetch', 'completed')
  tool('Delete old.txt', 'delete', 'completed')
  tool('Move a.txt to b.txt', 'move', 'completed')
  tool('Think it over', 'think', 'completed')
  tool('Explore the beds', 'subagent', 'in_progress', {
    content: [textPart('The other agent looks at bed **three**.')],
  })
  tool('Something new', 'telepathy', 'completed', { rawInput: { to: 'the gardener' } })
  tool('A terminal', 'execute', 'in_progress', { content: [{ type: 'terminal', terminalId: 'term-1' }] })
  tool('npm run watch', 'execute', 'in_progress', {
    rawInput: { command: 'npm run watch' },
    content: [textPart('```\nwatching 12 files\n```')],
  })
  tool('Waits its turn', 'execute', 'pending')
  return data()
}

function filesOf(now: number): SessionData {
  const { ask, add, end, data } = sessionExample(now - 100_000)
  const place = 'project:prj'
  const files = (paths: readonly string[], change: string) => paths.map((path) => ({ path, change }))
  ask('Water the beds.')
  add('snapshot.taken', {
    run: `run_${tail(1)}`,
    place,
    from: 3,
    n: 5,
    reason: 'run_end',
    counts: { created: 1, modified: 11, deleted: 1 },
    files: [
      ...files(['src/beds.ts', 'README.md', LONG_PATH.slice(ROOT.length + 1)], 'modified'),
      ...files(['src/water.ts'], 'created'),
      ...files(['src/drought.ts'], 'deleted'),
      ...files(['src/plan.ts', 'src/rows.ts'], 'modified'),
    ],
  })
  add('files.conflicted', {
    place,
    paths: ['src/beds.ts'],
    other: { session: `ses_${tail(2)}`, run: `run_${tail(2)}` },
  })
  end('completed')
  const act = {
    act: `act_${tail(1)}`,
    by: ADA,
    place,
    before: 5,
    after: 6,
    count: 2,
    paths: ['src/beds.ts', 'README.md'],
  }
  add('files.restored', { ...act, how: 'undo' })
  add('files.restored', { ...act, how: 'restore' })
  add('files.taken', act)
  add('files.applied', { ...act, project: PROJECT })
  return data()
}

function ends(now: number): SessionData {
  const { ask, tool, end, data } = sessionExample(now - 400_000)
  ask('Will it rain?')
  end('failed', {
    error: {
      message: 'The weather service does not answer.',
      stderr: 'error: connect ECONNREFUSED 127.0.0.1:9\n    at the weather service',
      next: 'Look whether it runs, then send the prompt again.',
    },
  })
  ask('Stop this.')
  end('cancelled', { stopReason: 'cancelled' })
  ask('Something forbidden.')
  end('refused', { stopReason: 'refusal' })
  ask('Something endless.')
  end('over_budget')
  ask('Something in a storm.')
  tool('Write half of it', 'edit', 'in_progress')
  end('lost', { halfDone: [{ toolCallId: 'call', title: 'Write half of it', status: 'in_progress' }] })
  return data()
}

function extremes(now: number): SessionData {
  const { ask, say, tool, think, end, data } = sessionExample(now - 100_000)
  ask(`مرحبا، هل يمكنك أن تنظر إلى الحديقة؟\n${UNBROKEN}`)
  say('مرحبا! سأنظر إلى **الحديقة** الآن وأخبرك بما يجب فعله في كل حوض.')
  say(`\n\n${UNBROKEN}`)
  think(UNBROKEN)
  tool(`Edit ${LONG_PATH}`, 'edit', 'completed', { locations: [{ path: LONG_PATH }] })
  tool('A very long command', 'execute', 'completed', {
    rawInput: { command: `find ${LONG_PATH} -name "${UNBROKEN}"` },
    content: [textPart(`${UNBROKEN}\n`.repeat(3))],
  })
  tool('Ten megabytes', 'execute', 'completed', { content: [textPart('a row of the output\n'.repeat(500_000))] })
  end('completed')
  return data()
}

/** One run with `count` calls, for the transcript as a whole. */
export function manyCalls(now: number, count: number): SessionData {
  const { ask, tool, end, data } = sessionExample(now - count * 100, 100)
  ask('Look at every bed.')
  for (let at = 1; at <= count; at += 1)
    tool(`Read bed ${at}`, 'read', 'completed', { locations: [{ path: `${ROOT}/beds/${at}.txt` }] })
  end('completed')
  return data()
}
