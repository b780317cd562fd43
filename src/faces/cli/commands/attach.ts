import type { Carrel, Output } from '../../../api/index.ts'
import { asCarrelError } from '../../../model/errors.ts'
import type { SessionView } from '../../../model/events/view.ts'
import { createSerial } from '../../../primitives/serial.ts'
import type { AddCommand, Cli, OpenCli } from '../cli.ts'
import { RUN_EXIT } from '../exits.ts'
import { displayOrder, followSession } from '../following.ts'
import { type Leave, openLeaving } from '../leaving.ts'
import { type LineReader, openLines } from '../lines.ts'
import { createQuestioner, type Questioner } from '../questioner.ts'
import { Transcript } from '../transcript.ts'
import { showItem } from '../watching.ts'

const INVITATION = '› '

export const addAttach: AddCommand = (program) => {
  program
    .command('attach')
    .summary('follow a session and send prompts')
    .description(
      'Follows a session and sends every line that you type as a prompt. You answer questions in place. With piped input, each line is a prompt and the command ends after the last run.',
    )
    .argument('<session>', 'id of the session')
    .option('--busy <policy>', 'effect of a prompt during a run: queue, steer or interrupt', 'queue')
    .addHelpText(
      'after',
      `
While attached:
  /stop   cancels the active run
  /quit   detaches; the session continues (also Ctrl-C and Ctrl-D)
  Other lines that begin with / go to the agent.

Examples:
  $ carrel attach ses_01jc3q0f0g0h0j0k0m0n0p0q0r
  $ echo "run the tests" | carrel attach ses_01jc3q0f0g0h0j0k0m0n0p0q0r`,
    )
    .handle((cli, [session], options) => attach(cli, session, options.busy))
}

async function attach(cli: Cli, session: string, busy: 'queue'): Promise<number> {
  return cli.withCarrel({ runs: true }, async (open) => {
    const leaving = openLeaving(cli.world, { timeoutMs: null, onInterrupt: null })
    try {
      const opened = await open.carrel.call('sessions.view', { workspace: cli.workspace, id: session, limit: 30 })
      await new Conversation({ cli: open, opened, busy, leaving }).run()
    } finally {
      leaving.stop()
    }
    const why = leaving.why()
    if (why !== null && why !== 'interrupted') open.hurry()
    if (open.how !== 'embedded') cli.term.note(`Detached. Attach again with: carrel attach ${session}`)
    return why === 'unread' ? RUN_EXIT.unread : 0
  })
}

interface ConversationParts {
  readonly cli: OpenCli
  readonly opened: Output<'sessions.view'>
  readonly busy: 'queue' | 'steer' | 'interrupt'
  readonly leaving: Leave
}

const isQuiet = (view: SessionView): boolean =>
  view.run === null && view.queue.length === 0 && view.steering.length === 0

/** Follows one session and sends the lines of the input as prompts, until the input or the session ends. */
class Conversation {
  readonly #parts: ConversationParts
  readonly #lines: LineReader
  readonly #questioner: Questioner
  readonly #transcript: Transcript
  #view: SessionView
  #inputEnded = false
  /** Calls are sequential: concurrent calls would reach the log in any order. */
  readonly #calls = createSerial()
  #sending = 0
  /** Requests sent, by their `seq`. A prompt is done only when its request came down the log, else the end of the input would win. */
  readonly #sent: number[] = []

  constructor(parts: ConversationParts) {
    this.#parts = parts
    this.#view = parts.opened.view
    const { term, world } = parts.cli
    const write = (text: string) => void (term.json || term.write(text))
    this.#transcript = new Transcript({ say: write, aside: write, color: term.color, whole: true })
    this.#lines = openLines(world, {
      onInterrupt: () => parts.leaving.interrupt(),
      onLine: (line) => this.#send(line),
      onEnd: () => this.#endInput(),
    })
    const lines = term.interactive ? () => this.#lines : null
    this.#questioner = createQuestioner({ ...parts, lines, onIdle: () => this.#rest() })
  }

  async run(): Promise<void> {
    try {
      await this.#follow()
    } finally {
      this.#transcript.finish()
      this.#questioner.close()
      this.#lines.close()
    }
  }

  async #follow(): Promise<void> {
    const { cli, opened, leaving } = this.#parts
    const { carrel, term, workspace } = cli
    const { view, items } = opened
    for (const item of displayOrder(items)) showItem(item, this.#transcript, this.#questioner)
    this.#settle()
    for await (const change of followSession(carrel, { workspace, view, items }, leaving.signal)) {
      if (change.kind === 'ended') return term.note(`The session no longer exists: ${change.reason}`)
      this.#view = change.view
      if (change.kind === 'caught-up') continue
      if (term.json) await term.write(`${change.json}\n`)
      for (const item of change.items) showItem(item, this.#transcript, this.#questioner)
      if (change.event.type === 'session.closed') return term.note('The session has ended.')
      if (this.#isCaughtUp() && isQuiet(change.view)) this.#transcript.finish()
      this.#settle()
    }
  }

  #send(line: string): void {
    const { cli, opened, busy, leaving } = this.#parts
    if (line.trim() === '/quit') return leaving.interrupt()
    if (line.trim() === '') return this.#rest()
    this.#sending += 1
    void this.#calls
      .run(() => sendLine(cli.carrel, { workspace: cli.workspace, id: opened.view.session }, line, busy))
      .then((seq) => this.#sent.push(seq))
      .catch((error) => cli.term.problem(asCarrelError(error)))
      .finally(() => {
        this.#sending -= 1
        this.#settle()
      })
  }

  #endInput(): void {
    this.#inputEnded = true
    if (this.#parts.cli.world.stdin.isTTY) this.#parts.leaving.interrupt()
    else this.#settle()
  }

  #isCaughtUp(): boolean {
    return this.#sent.every((seq) => seq <= this.#view.seq)
  }

  #settle(): void {
    if (this.#isCaughtUp()) this.#rest()
  }

  /** Ends the conversation after the last run of a piped input; else shows the prompt of a quiet session. */
  #rest(): void {
    if (!isQuiet(this.#view)) return
    if (this.#inputEnded && this.#sending === 0) this.#parts.leaving.interrupt()
    else if (this.#parts.cli.term.interactive) this.#lines.invite(INVITATION)
  }
}

/** Sends a line as a prompt or runs a command such as /stop. Returns the position of the request in the log. */
async function sendLine(
  carrel: Carrel,
  at: { workspace: string; id: string },
  line: string,
  busy: ConversationParts['busy'],
): Promise<number> {
  if (line.trim() === '/stop') return (await carrel.call('sessions.cancel', at)).seq
  const done = await carrel.call('sessions.prompt', {
    ...at,
    content: line,
    busy,
    key: crypto.randomUUID(),
    wait: 'accepted',
  })
  return done.seq
}
