import type { Carrel, Input, Output } from '../../../api/index.ts'
import { waitsText } from '../../../model/machine.ts'
import type { RunOutcome, Session } from '../../../model/tree.ts'
import { duration, given, keyValue } from '../arguments.ts'
import type { AddCommand, Cli, OpenCli } from '../cli.ts'
import { badInput } from '../problem.ts'
import { type PromptWatch, watchPrompt } from '../watching.ts'
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

/** Exit code by outcome of a run. 75: another try may succeed. */
const OUTCOME_EXIT: Readonly<Record<RunOutcome, number>> = {
  completed: 0,
  cancelled: 130,
  failed: 1,
  refused: 1,
  over_budget: 75,
  lost: 75,
}

export const addRun: AddCommand = (program) => {
  program
    .command('run')
    .summary('send a prompt to an agent and watch its run')
    .description(
      'Sends a prompt to an agent in the current folder and shows its run. Messages of the agent go to stdout, all other output to stderr. Creates a Space for the folder if there is none, and a new session unless you name one.',
    )
    .argument('<prompt...>', 'the prompt; - reads it from stdin')
    .option('-a, --agent <id>', 'agent to use (see `carrel agents`)')
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('-p, --project <project>', 'id or name of the project in the Space')
    .option('--session <id>', 'continue this session')
    .option('-c, --continue', 'continue the last changed session of this Space')
    .option('--name <name>', 'name of the new session')
    .option(
      '--wait <point>',
      'wait until the prompt is accepted, started or ended',
      choice('--wait', ['accepted', 'started', 'ended']),
      'ended',
    )
    .option(
      '--busy <policy>',
      'effect during a run: queue, steer, interrupt or reject',
      choice('--busy', ['queue', 'steer', 'interrupt', 'reject']),
      'queue',
    )
    .option('--timeout <time>', 'stop watching after this time (90s, 10m); the run continues', duration)
    .option('--mode <mode>', "the agent's mode, by its id")
    .option('--option <name=value>', 'an option of the agent, by its id; repeatable', keyValue)
    .addHelpText(
      'after',
      `
Exit code: 0 completed, 130 cancelled, 1 failed or refused, 75 over budget, lost, or still running.
Ctrl-C cancels the run; a second Ctrl-C stops watching while the server continues.
With --json: the stored events, one a line, and a last line with "type": "result".

Examples:
  $ carrel run "find the flaky test and fix it"
  $ carrel run --continue "now do the same for the other package"
  $ carrel run --space ~/code/shop --agent codex --mode auto "update the dependencies"
  $ git diff | carrel run --wait accepted -`,
    )
    .handle((cli, [words], options: Options) => run(cli, words, options))
}

function choice(flag: string, allowed: readonly string[]): (text: string) => string {
  return (text) => {
    if (allowed.includes(text)) return text
    throw badInput(`${flag} takes ${allowed.join(', ')}, not ${JSON.stringify(text)}.`)
  }
}

async function run(cli: Cli, words: string[], options: Options): Promise<number> {
  const content = words.length === 1 && words[0] === '-' ? await readAll(cli.world.stdin) : words.join(' ')
  if (content.trim() === '') throw badInput('The prompt is empty. Example: carrel run "fix the tests".')
  const stays = options.wait !== 'accepted'
  return cli.withCarrel({ runs: stays }, async (open) => {
    const { carrel } = open
    const session = await sessionFor(open, options)
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
    if (wait !== 'ended') return submit(open, session, { ...prompt, wait, ...given({ timeoutMs: timeout }) })
    return follow(open, { session, prompt, timeoutMs: timeout ?? null })
  })
}

async function sessionFor(cli: OpenCli, options: Options): Promise<Session> {
  if (options.session !== undefined)
    return cli.carrel.call('sessions.get', { workspace: cli.workspace, id: options.session })
  return options.continue ? lastSession(cli, options) : newSession(cli, options)
}

async function submit(cli: OpenCli, session: Session, prompt: Input<'sessions.prompt'>): Promise<number> {
  const { term } = cli
  const done = await cli.carrel.call('sessions.prompt', prompt)
  const reached = prompt.wait === 'accepted' || (done.state !== 'accepted' && done.state !== 'admitted')
  term.result(resultOf(session, done), () => {
    term.line(`${done.state} ${done.run ?? done.prompt} in session ${session.id}`)
    if (done.waits) term.note(waitsText(done.waits, session.space))
    if (cli.how === 'embedded' && prompt.wait === 'accepted')
      term.note('No server is running. The run starts with the next server (`carrel serve`).')
    else term.note(`Watch the run with: carrel attach ${session.id}`)
  })
  if (!reached) term.note('The run has not started within the timeout; the prompt stays queued.')
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

async function follow(cli: OpenCli, watch: PromptWatch): Promise<number> {
  const { carrel, term } = cli
  const { session, prompt } = watch
  term.note(term.asideColor.dim(`Session ${session.id} (${session.agent})`))
  const end = await watchPrompt(cli, watch)
  if (term.json) term.data(resultOf(session, await answered(carrel, prompt)))
  if (end.kind === 'ended') return OUTCOME_EXIT[end.outcome]
  if (end.kind === 'withdrawn') return 130
  if (end.kind === 'deleted') {
    term.note(`The session no longer exists: ${end.reason}`)
    return 75
  }
  if (cli.how !== 'embedded') term.note(`The run continues. Watch it with: carrel attach ${session.id}`)
  else if (end.why !== 'interrupt') {
    cli.hurry()
    term.note('Without a server, the run ends with this command.')
  }
  return end.why === 'interrupt' ? 130 : 75
}

/** Returns the state of the prompt. The same idempotency key makes the repeated request harmless. */
async function answered(carrel: Carrel, prompt: Input<'sessions.prompt'>): Promise<Output<'sessions.prompt'>> {
  const state = await carrel.call('sessions.prompt', { ...prompt, wait: 'ended', timeoutMs: 0 })
  return { ...state, repeated: false }
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += chunk
  return text
}
