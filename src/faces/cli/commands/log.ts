import type { SessionId } from '../../../model/ids.ts'
import { count } from '../arguments.ts'
import type { AddCommand, OpenCli } from '../cli.ts'
import { followSession } from '../following.ts'
import { Transcript } from '../transcript.ts'

export const addLog: AddCommand = (program) => {
  program
    .command('log')
    .summary("print a session's log")
    .description(
      'Prints the log of a session, oldest first: as a transcript, or with --json as the stored events, one a line.',
    )
    .argument('<session>', 'id of the session')
    .option('-f, --follow', 'wait for new events, until Ctrl-C')
    .option('--after <n>', 'start after this event', count, 0)
    .addHelpText(
      'after',
      `
Examples:
  $ carrel log ses_01jc3q0f0g0h0j0k0m0n0p0q0r
  $ carrel log ses_01jc3q0f0g0h0j0k0m0n0p0q0r --json --after 120 | jq .type
  $ carrel log ses_01jc3q0f0g0h0j0k0m0n0p0q0r --follow`,
    )
    .withCarrel((cli, [session], options) => log(cli, session, options))
}

async function log(cli: OpenCli, session: SessionId, options: { follow?: boolean; after: number }): Promise<number> {
  const { carrel, term, workspace } = cli
  await carrel.call('sessions.get', { workspace, id: session })
  const done = new AbortController()
  const stop = (): void => done.abort()
  process.on('SIGINT', stop)
  try {
    if (term.json) {
      const target = { kind: 'session', workspace, session, after: options.after } as const
      for await (const news of carrel.follow([target], done.signal)) {
        if (news.kind === 'event') await term.write(`${news.json}\n`)
        else if (news.kind === 'ended' || !options.follow) break
      }
      return 0
    }
    const { emptyView } = await import('../../../model/events/view.ts')
    const say = (text: string): void => void term.write(text)
    const transcript = new Transcript({ say, aside: say, color: term.color, whole: true })
    // All events are folded even if not shown, since later events may change earlier items.
    const from = { workspace, view: emptyView(session), items: [] }
    for await (const change of followSession(carrel, from, done.signal)) {
      if (change.kind === 'ended' || (change.kind === 'caught-up' && !options.follow)) break
      if (change.kind === 'caught-up') continue
      const show = change.event.seq > options.after ? transcript.show : transcript.skip
      for (const item of change.items) show(item)
      if (change.event.seq % 64 === 0) await term.write('')
    }
    transcript.finish()
    return 0
  } finally {
    process.off('SIGINT', stop)
  }
}
