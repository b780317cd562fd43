import type { SearchHit } from '../../../model/search.ts'
import { count, given } from '../arguments.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { ago, clean } from '../terminal.ts'

export const addSearch: AddCommand = (program, act) => {
  program
    .command('search')
    .summary('search what was said and done in sessions')
    .description(
      'Searches all sessions of the workspace: prompts, messages, thoughts, tool calls, plans, questions. All words must be there, "in quotes" one after the other; the last word may go on. The best come first.',
    )
    .argument('<text...>', 'the words')
    .option('--session <id>', 'only in this session')
    .option('-n, --limit <n>', 'at most so many, up to 100', count, 20)
    .addHelpText(
      'after',
      `
Examples:
  $ carrel search retry backoff
  $ carrel search '"connection reset" proxy' --limit 5 --json`,
    )
    .action(act((cli, [words], options) => search(cli, words.join(' '), options)))
}

async function search(cli: Cli, text: string, { session, limit }: { session?: string; limit: number }): Promise<void> {
  const { workspace, term } = cli
  await cli.withCarrel({ runs: false }, async (carrel) => {
    const page = await carrel.call('search.items', { workspace, text, limit, ...given({ session }) })
    term.result(page, () => {
      for (const hit of page.hits) show(cli, hit)
      if (page.hits.length === 0) term.note('Nothing has all these words.')
      if (page.cursor) term.note('There are more: say a larger --limit, or more words.')
    })
  })
}

function show({ term }: Cli, { session, n, kind, at, sessionName, snippet, marks }: SearchHit): void {
  const { color } = term
  const head = `${session} ${n}  ${kind}, ${ago(at, term.now())} ago  ${clean(sessionName)}`
  let from = 0
  let words = ''
  for (const [start, end] of marks) {
    words += clean(snippet.slice(from, start)) + color.bold(clean(snippet.slice(start, end)))
    from = end
  }
  words += clean(snippet.slice(from))
  term.line(color.dim(head))
  // Marks are set by now, so runs of spaces may become one.
  term.line(`  ${words.replace(/ {2,}/g, ' ').trim()}`)
}
