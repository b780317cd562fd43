import type { SessionId } from '../../../model/ids.ts'
import { count } from '../arguments.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { followSession } from '../following.ts'
import { createTranscript } from '../transcript.ts'

export const addLog: AddCommand = (program, act) => {
  program
    .command('log')
    .summary("print a session's log")
    .description(
      'Prints what happened in a session, oldest first: as a transcript, or with --json as the events stored, one a line.',
    )
    .argument('<session>', 'id of the session')
    .option('-f, --follow', 'go on as things happen, until Ctrl-C')
    .option('--after <n>', 'begin after this event', count, 0)
    .addHelpText(
      'after',
      `
Examples:
  $ carrel log ses_01jc3q0f0g0h0j0k0m0n0p0q0r
  $ carrel log ses_01jc3q0f0g0h0j0k0m0n0p0q0r --json --after 120 | jq .type
  $ carrel log ses_01jc3q0f0g0h0j0k0m0n0p0q0r --follow`,
    )
    .action(act((cli, [session], options) => log(cli, session, options)))
}

async function log(cli: Cli, session: SessionId, options: { follow?: boolean; after: number }): Promise<number> {
  const { term, workspace } = cli
  return cli.withCarrel({ runs: false }, async (carrel) => {
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
      const { emptyView } = await import('../../../model/view.ts')
      const say = (text: string): void => void term.write(text)
      const transcript = createTranscript({ say, aside: say, color: term.color, whole: true })
      // The beginning is read even where it is not shown: what came later may be about it.
      for await (const told of followSession(carrel, { workspace, view: emptyView(session), items: [] }, done.signal)) {
        if (told.kind === 'ended' || (told.kind === 'caught-up' && !options.follow)) break
        if (told.kind === 'caught-up') continue
        const show = told.event.seq > options.after ? transcript.show : transcript.skip
        for (const item of told.items) show(item)
        if (told.event.seq % 64 === 0) await term.write('')
      }
      transcript.finish()
      return 0
    } finally {
      process.off('SIGINT', stop)
    }
  })
}
