import type { Carrel } from '../../../api/index.ts'
import { asCarrelError } from '../../../model/errors.ts'
import type { SessionView } from '../../../model/view.ts'
import { createSerial } from '../../../primitives/serial.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { followSession, retold } from '../following.ts'
import { type Lines, openLines } from '../lines.ts'
import { createQuestioner } from '../questioner.ts'
import { createTranscript } from '../transcript.ts'
import { showItem } from '../watching.ts'

const INVITATION = '› '

export const addAttach: AddCommand = (program, act) => {
  program
    .command('attach')
    .summary('follow a session and type into it')
    .description(
      'Shows a session as it goes on, and sends every line you type as a prompt. Questions are answered in place. Input that is no terminal: each line is a prompt, and the command ends when all are done.',
    )
    .argument('<session>', 'id of the session')
    .option('--busy <policy>', 'what a prompt does when a run is on: queue, steer or interrupt', 'queue')
    .addHelpText(
      'after',
      `
While attached:
  /stop   cancels the run that is on
  /quit   leaves; the session goes on without you (as does Ctrl-C, Ctrl-D)
  Other lines that begin with / go to the agent.

Examples:
  $ carrel attach ses_01jc3q0f0g0h0j0k0m0n0p0q0r
  $ echo "run the tests" | carrel attach ses_01jc3q0f0g0h0j0k0m0n0p0q0r`,
    )
    .action(act((cli, [session], options) => attach(cli, session, options.busy)))
}

async function attach(cli: Cli, session: string, busy: 'queue'): Promise<number> {
  return cli.withCarrel({ runs: true }, async (carrel, way) => {
    const leaving = new AbortController()
    const leave = (): void => leaving.abort()
    const terminate = (): void => {
      way.hurry()
      leave()
    }
    process.on('SIGINT', leave)
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, terminate)
    try {
      await converse({ cli, carrel, session, busy, leaving })
    } finally {
      process.off('SIGINT', leave)
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, terminate)
    }
    if (way.how !== 'embedded') cli.term.note(`Left. Come back with: carrel attach ${session}`)
    return 0
  })
}

interface Talk {
  readonly cli: Cli
  readonly carrel: Carrel
  readonly session: string
  readonly busy: 'queue' | 'steer' | 'interrupt'
  readonly leaving: AbortController
}

const isQuiet = (view: SessionView): boolean =>
  view.run === null && view.queue.length === 0 && view.steering.length === 0

async function converse({ cli, carrel, session, busy, leaving }: Talk): Promise<void> {
  const { term, workspace, world } = cli
  const at = { workspace, id: session }
  const { view, items } = await carrel.call('sessions.view', { ...at, limit: 30 })
  const human = !term.json
  const transcript = createTranscript({
    say: (text) => void (human && term.write(text)),
    aside: (text) => void (human && term.write(text)),
    color: term.color,
    whole: true,
  })
  let current = view
  let inputEnded = false
  let sending = 0
  const rest = (): void => {
    if (inputEnded && sending === 0 && isQuiet(current)) leaving.abort()
    else if (isQuiet(current) && term.interactive) lines.invite(INVITATION)
  }
  // One behind the other: calls that are under way at once come to the log in any order.
  const calls = createSerial()
  const send = (line: string): void => {
    if (line.trim() === '/quit') return leaving.abort()
    if (line.trim() === '') return rest()
    sending += 1
    void calls
      .run(() => sendLine(carrel, at, line, busy))
      .then((seq) => waitFor.push(seq))
      .catch((error) => term.problem(asCarrelError(error)))
      .finally(() => {
        sending -= 1
        settle()
      })
  }
  // A prompt counts as done only when its request has come down the log, else the end of the input would win.
  const waitFor: number[] = []
  const settle = (): void => {
    if (waitFor.every((seq) => seq <= current.seq)) rest()
  }
  const lines: Lines = openLines(world, {
    onInterrupt: () => leaving.abort(),
    onLine: send,
    onEnd: () => {
      inputEnded = true
      if (world.stdin.isTTY) leaving.abort()
      else settle()
    },
  })
  const questioner = createQuestioner({ cli, carrel, lines: term.interactive ? () => lines : null, onIdle: rest })
  try {
    for (const item of retold(items)) showItem(item, transcript, questioner)
    settle()
    for await (const told of followSession(carrel, { workspace, view, items }, leaving.signal)) {
      if (told.kind === 'ended') return term.note(`The session is gone: ${told.reason}`)
      current = told.view
      if (told.kind === 'caught-up') continue
      if (term.json) await term.write(`${told.json}\n`)
      for (const item of told.items) showItem(item, transcript, questioner)
      if (told.event.type === 'session.closed') return term.note('The session was closed.')
      if (waitFor.every((seq) => seq <= current.seq) && isQuiet(current)) transcript.finish()
      settle()
    }
  } finally {
    transcript.finish()
    questioner.close()
    lines.close()
  }
}

/** Sends a line as a prompt, or does what a word of ours says. Returns where the request stands in the log. */
async function sendLine(
  carrel: Carrel,
  at: { workspace: string; id: string },
  line: string,
  busy: Talk['busy'],
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
