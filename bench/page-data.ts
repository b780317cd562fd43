import type { WrittenRun } from '../test/browser/written-log.ts'

const ITEMS_PER_RUN = 50

/** Runs with so many items in all, of every kind by turns, in sizes as agents have them. */
export function* runsOf(items: number): Generator<WrittenRun> {
  for (let from = 0; from < items; from += ITEMS_PER_RUN) {
    const updates = Array.from({ length: ITEMS_PER_RUN - 1 }, (_, at) => itemAt(from + at + 1))
    yield { prompt: `Prompt ${from}: go on with the next bed and say what you find.`, updates }
  }
}

function itemAt(n: number): unknown {
  const words = (sessionUpdate: string, text: string) => ({ sessionUpdate, content: { type: 'text', text } })
  switch (n % 5) {
    case 0:
      return words('agent_message_chunk', message(n))
    case 1:
      return words('agent_thought_chunk', `Thinking about bed ${n}. The neighbouring bed matters most.`)
    case 2:
      return toolCall(n, 'execute', { rawInput: { command: `ls -l bed-${n}` }, content: [textPart(lines(n, 12))] })
    case 3:
      return toolCall(n, 'edit', { content: [diffPart(n)] })
    default:
      return toolCall(n, 'read', { locations: [{ path: `/home/ada/garden/beds/${n}.txt` }] })
  }
}

function message(n: number): string {
  if (n % 50 === 0) return `## Bed ${n}\n\n${CODE}\n\n| Bed | Now |\n|---|---|\n| ${n} | beans |\n`
  return `Bed **${n}** is dry; \`water ${n}\` would help. ${'The bed gets little sun before noon. '.repeat(1 + (n % 4))}`
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

/** Paragraphs with a block of code now and then, about 20 characters for each of so many chunks. */
export function proseOf(chunks: number): string {
  const paragraph = (at: number): string =>
    `Bed **${at}** is dry; \`water ${at}\` would help. ${'The bed gets little sun before noon and the wind takes the rest. '.repeat(3)}`
  const code = '```ts\nconst one = 1\nconst two = one + 1\n```'
  const parts = Array.from({ length: Math.ceil(chunks / 11) }, (_, at) => (at % 6 === 5 ? code : paragraph(at)))
  return parts.join('\n\n')
}
