import type { Carrel, Input, Output } from '../../../api/index.ts'
import { waitsText } from '../../../model/machine.ts'
import type { Session } from '../../../model/tree.ts'
import { duration, given, keyValue } from '../arguments.ts'
import type { AddCommand, Cli, OpenCli } from '../cli.ts'
import { NOT_STARTED, problemOf, RUN_EXIT, type RunProblem, runExitLines } from '../exits.ts'
import { badInput } from '../problem.ts'
import type { OnQuestion } from '../questioner.ts'
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
  readonly onQuestion: OnQuestion
  readonly mode?: string
  readonly option?: Record<string, string | boolean>
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
    .option(
      '--on-question <policy>',
      'effect of a question of the agent: wait for a person, deny it, or fail, which cancels the run',
      choice('--on-question', ['wait', 'deny', 'fail']),
      'wait',
    )
    .option('--mode <mode>', "the agent's mode, by its id")
    .option('--option <name=value>', 'an option of the agent, by its id; repeatable', keyValue)
    .addHelpText(
      'after',
      `
Exit codes:
${runExitLines()}
Ctrl-C cancels the run; a second Ctrl-C stops watching while the server continues.
With --json: the stored events, one a line, and a last line with "type": "result" and "error": null, or why the run
is not completed. Questions and their answers ('carrel answer ...') are lines on stderr.

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
  if (options.wait !== 'ended' && options.onQuestion !== 'wait')
    throw badInput('--on-question needs a run that is watched to its end: omit --wait.')
  return cli.withCarrel({ runs: stays }, async (open) => {
    const { carrel } = open
    const session = await sessionFor(open, options)
    if (options.mode !== undefined || options.option !== undefined)
      await carrel.call('sessions.configure', {
        workspace: cli.workspace,
        id: session.id,
        ...given({ agent: options.agent, mode: options.mode, options: options.option }),
      })
    const { agent, busy, timeout, wait, onQuestion } = options
    const prompt: Input<'sessions.prompt'> = {
      workspace: cli.workspace,
      id: session.id,
      content,
      busy,
      key: crypto.randomUUID(),
      ...given({ agent }),
    }
    if (wait !== 'ended') return submit(open, session, { ...prompt, wait, ...given({ timeoutMs: timeout }) })
    return follow(open, { session, prompt, timeoutMs: timeout ?? null, onQuestion })
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
  term.result(resultOf(session, done, reached ? null : NOT_STARTED), () => {
    term.line(`${done.state} ${done.run ?? done.prompt} in session ${session.id}`)
    if (done.waits) term.note(waitsText(done.waits, session.space))
    if (cli.how === 'embedded' && prompt.wait === 'accepted')
      term.note('No server is running. The run starts with the next server (`carrel serve`).')
    else term.note(`Watch the run with: carrel attach ${session.id}`)
  })
  if (!reached) term.note(NOT_STARTED.message)
  return reached ? 0 : RUN_EXIT.timeout
}

const resultOf = (session: Session, done: Output<'sessions.prompt'>, error: RunProblem | null) => ({
  type: 'result',
  workspace: session.workspace,
  space: session.space,
  project: session.project,
  session: session.id,
  ...done,
  error,
})

async function follow(cli: OpenCli, watch: PromptWatch): Promise<number> {
  const { carrel, term } = cli
  const { session, prompt } = watch
  term.note(term.asideColor.dim(`Session ${session.id} (${session.agent})`))
  const end = await watchPrompt(cli, watch)
  const error = problemOf(cli, session, end)
  if (end.kind === 'left' && end.why !== 'interrupted') cli.hurry()
  if (end.kind === 'left' && end.why === 'unread') term.tell({ error }, () => undefined)
  else if (term.json) term.data(resultOf(session, await answered(carrel, prompt), error))
  // The transcript shows how a run ended.
  if (error && end.kind !== 'ended' && end.kind !== 'withdrawn') term.note(error.message)
  return error === null ? 0 : RUN_EXIT[error.code]
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
