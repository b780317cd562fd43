/** Step of the scripted agent. Exactly one key of `STEP_KEYS` names the action; the others are its details. */
export interface ScriptStep {
  readonly [key: string]: unknown
}

/**
 * say, think: text, sent in `chunks` pieces with `delayMs` between (say may name a `messageId`). plan: entries or
 * texts. read, list: a path. write: a path and `content`. edit: a path, `old` and `new`. run: a shell line, in a
 * session of its own. ask: {title, options}. form: {message, schema}. update: a raw update. fail: a JSON-RPC error.
 * fail_text: end_turn with an error as text. crash, hang. usage: a usage_update. stop: ends the turn with this reason.
 * gate: waits for a file. repeat: that many updates with text `say`, each `everyMs`. calls: that
 * many tool calls, one after the other. take: that many bytes of memory,
 * kept until the agent ends. stderr: a line on stderr. garbage: a raw line on stdout. huge: a message of that many
 * bytes. sleep: milliseconds. request: {method, params} to the client. mcp: an MCP server of the session, its `tool`
 * and `arguments`. later: steps that go on beside the turn and after its end. farewell: a
 * text, sent once the client closes stdin. `expand: true`: `$NAME` in the texts of a step is replaced by that variable. `via: "client"` makes
 * read, write and run use fs and terminal of the client.
 */
const STEP_KEYS = [
  'repeat',
  'calls',
  'say',
  'think',
  'plan',
  'read',
  'list',
  'write',
  'edit',
  'run',
  'ask',
  'form',
  'update',
  'fail',
  'fail_text',
  'crash',
  'hang',
  'usage',
  'stop',
  'gate',
  'stderr',
  'garbage',
  'huge',
  'sleep',
  'take',
  'request',
  'mcp',
  'later',
  'farewell',
] as const
export type StepKey = (typeof STEP_KEYS)[number]

const DIRECTIVE = /@@do\s*([\s\S]*?)\s*@@end/

/** Returns the steps that a prompt orders; null for none. @throws Error with a sentence when they are unreadable */
export function directiveOf(prompt: string): ScriptStep[] | null {
  const source = DIRECTIVE.exec(prompt)?.[1]
  if (source === undefined) return null
  let steps: unknown
  try {
    steps = JSON.parse(source)
  } catch (cause) {
    throw new Error(`The steps between @@do and @@end are not JSON: ${(cause as Error).message}`)
  }
  if (!Array.isArray(steps)) throw new Error('The steps between @@do and @@end must be a list.')
  for (const step of steps) keyOf(step)
  return steps
}

/** Returns the action of a step. @throws Error for an unknown action */
export function keyOf(step: ScriptStep): StepKey {
  const key = STEP_KEYS.find((one) => step !== null && typeof step === 'object' && one in step)
  if (!key) throw new Error(`The scripted agent does not know this step: ${JSON.stringify(step)}`)
  return key
}

/** Returns the steps for a prompt without a directive: a tour of a session, or a few words. */
export function demoSteps(prompt: string, model: string): ScriptStep[] {
  const delayMs = model === 'thorough' ? 60 : 25
  return /\b(tour|file|files|folder|write|create|read|hello|show me)\b/i.test(prompt)
    ? tour(delayMs)
    : chat(prompt, delayMs)
}

function tour(delayMs: number): ScriptStep[] {
  const plan = (...states: string[]) => ({
    plan: ['Look around in this folder', 'Write a small file', 'Say what happened'].map((content, index) => ({
      content,
      priority: 'medium',
      status: states[index],
    })),
  })
  return [
    { think: 'A tour: look, ask, write, tell. The person should see each of these once.', delayMs },
    {
      say: 'Happy to show you around. I am the agent that comes with Carrel: I follow a script and need no model.\n\n',
      delayMs,
    },
    plan('in_progress', 'pending', 'pending'),
    { list: '.' },
    plan('completed', 'in_progress', 'pending'),
    {
      write: 'hello-from-carrel.md',
      content:
        '# Hello from Carrel\n\nThe scripted agent wrote this file after you allowed it.\nDelete it whenever you like.\n',
    },
    plan('completed', 'completed', 'in_progress'),
    {
      say: 'That was a turn: a **plan**, a look into the folder, a **question** that you answered, and a file.\n\nClose the page or stop the server if you like. All of this is in the log of the session, and the next prompt goes on from here.',
      delayMs,
    },
    plan('completed', 'completed', 'completed'),
    { usage: { used: 1_200, size: 200_000 } },
  ]
}

function chat(prompt: string, delayMs: number): ScriptStep[] {
  const words = prompt.trim().split(/\s+/).length
  const excerpt = prompt.trim().replace(/\s+/g, ' ').slice(0, 120)
  return [
    { think: `${words} words, and no order to do anything with files.`, delayMs },
    {
      say: `You said: “${excerpt}”\n\nI am the scripted agent that comes with Carrel. I have no model behind me, so I cannot answer that well, but I can show you how a session works: say **tour**, and I will look around, ask you for permission and write a file.`,
      delayMs,
    },
    { usage: { used: 400 + words, size: 200_000 } },
  ]
}

/** Cuts text into `count` pieces of similar length, between words where possible, without loss. */
export function pieces(text: string, count: number): string[] {
  const words = text.match(/\s*\S+\s*/g) ?? [text]
  const per = Math.max(1, Math.ceil(words.length / Math.max(1, count)))
  const found: string[] = []
  for (let at = 0; at < words.length; at += per) found.push(words.slice(at, at + per).join(''))
  return found
}
