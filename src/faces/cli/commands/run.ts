import type { Carrel, Input, Output } from '../../../api/index.ts'
import type { RunOutcome, Session } from '../../../model/tree.ts'
import { duration, given, keyValue } from '../arguments.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { badInput } from '../problem.ts'
import type { Reached } from '../reach.ts'
import { watchPrompt } from '../watching.ts'
import { lastSession, newSession } from '../whereabouts.ts'

interface Options {
  readonly agent?: string
  readonly space?: string
  readonly project?: string
  readonly session?: string
  readonly continue?: boolean
  readonly name?: string
  readonly wait: 'accepted' | 'started' | 'ended'
  readonly busy: 'queue' | 'steer' | 'interrupt' | 'reject'
  readonly timeout?: number
  readonly mode?: string
  readonly option?: Record<string, string | boolean>
}

/** What a shell is told of how a run ended. 75 means: it may work if you try again. */
export const OUTCOME_EXIT: Readonly<Record<RunOutcome, number>> = {
  completed: 0,
  cancelled: 130,
  failed: 1,
  refused: 1,
  over_budget: 75,
  lost: 75,
}

export const addRun: AddCommand = (program, act) => {
  program
    .command('run')
    .summary('ask an agent to do something, and watch it')
    .description(
      'Asks an agent to do something in the current folder and shows what it does. What the agent says goes to stdout, everything else to stderr. Makes the Space for the folder where there is none, and a new session unless one is named.',
    )
    .argument('<prompt...>', 'what to do; - reads it from stdin')
    .option('-a, --agent <id>', 'the agent to ask (see `carrel agents`)')
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('-p, --project <project>', 'id or name of the project in the Space')
    .option('--session <id>', 'go on in this session')
    .option('-c, --continue', 'go on in the session of this Space that changed last')
    .option('--name <name>', 'name of the new session')
    .option(
      '--wait <point>',
      'until it is accepted, started or ended',
      choice('--wait', ['accepted', 'started', 'ended']),
      'ended',
    )
    .option(
      '--busy <policy>',
      'when a run is on: queue, steer, interrupt or reject',
      choice('--busy', ['queue', 'steer', 'interrupt', 'reject']),
      'queue',
    )
    .option('--timeout <time>', 'stop watching after this (90s, 10m); the run goes on', duration)
    .option('--mode <mode>', "the agent's mode, by its id")
    .option('--option <name=value>', 'an option of the agent, by its id; may be repeated', keyValue)
    .addHelpText(
      'after',
      `
Exit code: 0 completed, 130 cancelled, 1 failed or refused, 75 over budget, lost, or still going on.
Ctrl-C cancels the run; a second Ctrl-C stops watching and leaves it to the server.
With --json: the events as stored, one a line, and a last line with "type": "result".

Examples:
  $ carrel run "find the flaky test and mend it"
  $ carrel run --continue "now do the same for the other package"
  $ carrel run --space ~/code/shop --agent codex --mode auto "update the dependencies"
  $ git diff | carrel run --wait accepted -`,
    )
    .action(act((cli, [words], options: Options) => run(cli, words, options)))
}

function choice(flag: string, allowed: readonly string[]): (said: string) => string {
  return (said) => {
    if (allowed.includes(said)) return said
    throw badInput(`${flag} takes ${allowed.join(', ')}, not ${JSON.stringify(said)}.`)
  }
}

async function run(cli: Cli, words: string[], options: Options): Promise<number> {
  const content = words.length === 1 && words[0] === '-' ? await readAll(cli.world.stdin) : words.join(' ')
  if (content.trim() === '') throw badInput('The prompt is empty. Say what to do: carrel run "mend the tests".')
  const stays = options.wait !== 'accepted'
  return cli.withCarrel({ runs: stays }, async (carrel, way) => {
    const session = await sessionFor(cli, way, options)
    if (options.mode !== undefined || options.option !== undefined)
      await carrel.call('sessions.configure', {
        workspace: cli.workspace,
        id: session.id,
        ...given({ agent: options.agent, mode: options.mode, options: options.option }),
      })
    const { agent, busy, timeout, wait } = options
    const prompt: Input<'sessions.prompt'> = {
      workspace: cli.workspace,
      id: session.id,
      content,
      busy,
      key: crypto.randomUUID(),
      ...given({ agent }),
    }
    if (wait !== 'ended') return submit(cli, way, session, { ...prompt, wait, ...given({ timeoutMs: timeout }) })
    return follow(cli, way, session, prompt, timeout)
  })
}

async function sessionFor(cli: Cli, way: Reached, options: Options): Promise<Session> {
  if (options.session !== undefined)
    return way.carrel.call('sessions.get', { workspace: cli.workspace, id: options.session })
  return options.continue ? lastSession(cli, way, options) : newSession(cli, way, options)
}

/** Submits and returns; what comes after is the server's. */
async function submit(cli: Cli, way: Reached, session: Session, prompt: Input<'sessions.prompt'>): Promise<number> {
  const { term } = cli
  const done = await way.carrel.call('sessions.prompt', prompt)
  const reached = prompt.wait === 'accepted' || (done.state !== 'accepted' && done.state !== 'admitted')
  term.result(resultOf(session, done), () => {
    term.line(`${done.state} ${done.run ?? done.prompt} in session ${session.id}`)
    if (way.how === 'embedded' && prompt.wait === 'accepted')
      term.note('No server is running: it starts when one does (`carrel serve`).')
    else term.note(`Watch it with: carrel attach ${session.id}`)
  })
  if (!reached) term.note('It has not started in that time, and waits on.')
  return reached ? 0 : 75
}

const resultOf = (session: Session, done: Output<'sessions.prompt'>) => ({
  type: 'result',
  workspace: session.workspace,
  space: session.space,
  project: session.project,
  session: session.id,
  ...done,
})

async function follow(
  cli: Cli,
  way: Reached,
  session: Session,
  prompt: Input<'sessions.prompt'>,
  timeoutMs: number | undefined,
): Promise<number> {
  const { carrel } = way
  const { term } = cli
  term.note(term.asideColor.dim(`Session ${session.id} (${session.agent})`))
  const end = await watchPrompt(cli, carrel, { session, prompt, timeoutMs: timeoutMs ?? null })
  if (term.json) term.data(resultOf(session, await answered(carrel, prompt)))
  if (end.kind === 'ended') return OUTCOME_EXIT[end.outcome]
  if (end.kind === 'withdrawn') return 130
  if (end.kind === 'deleted') {
    term.note(`The session is gone: ${end.reason}`)
    return 75
  }
  if (way.how !== 'embedded') term.note(`The run goes on. Watch it with: carrel attach ${session.id}`)
  else if (end.why !== 'interrupt') {
    way.hurry()
    term.note('No server is running, so the run ends with this command.')
  }
  return end.why === 'interrupt' ? 130 : 75
}

/** The same key is the same request, so asking again tells how it stands. */
async function answered(carrel: Carrel, prompt: Input<'sessions.prompt'>): Promise<Output<'sessions.prompt'>> {
  const stands = await carrel.call('sessions.prompt', { ...prompt, wait: 'ended', timeoutMs: 0 })
  return { ...stands, repeated: false }
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += chunk
  return text
}
