import type { SearchHit } from '../../../model/search.ts'
import { count, given } from '../arguments.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { ago, clean } from '../terminal.ts'

export const addSearch: AddCommand = (program) => {
  program
    .command('search')
    .summary('search the transcripts of sessions')
    .description(
      'Searches all sessions of the workspace: prompts, messages, thoughts, tool calls, plans, questions. All words must match, "quoted words" as a phrase; the last word matches as a prefix. Best matches come first.',
    )
    .argument('<text...>', 'words to search')
    .option('--session <id>', 'only in this session')
    .option('-n, --limit <n>', 'maximum number of matches, up to 100', count, 20)
    .addHelpText(
      'after',
      `
Examples:
  $ carrel search retry backoff
  $ carrel search '"connection reset" proxy' --limit 5 --json`,
    )
    .withCarrel(async (cli, [words], { session, limit }) => {
      const { carrel, workspace, term } = cli
      const page = await carrel.call('search.items', { workspace, text: words.join(' '), limit, ...given({ session }) })
      term.result(page, () => {
        for (const hit of page.hits) show(cli, hit)
        if (page.hits.length === 0) term.note('No matches.')
        if (page.cursor) term.note('More matches exist. Use a larger --limit or more words.')
      })
    })
}

function show({ term }: Cli, { session, n, kind, at, sessionName, snippet, marks }: SearchHit): void {
  const { color } = term
  const head = `${session} ${n}  ${kind}, ${ago(at, term.now())} ago  ${clean(sessionName)}`
  let from = 0
  let text = ''
  for (const [start, end] of marks) {
    text += clean(snippet.slice(from, start)) + color.bold(clean(snippet.slice(start, end)))
    from = end
  }
  text += clean(snippet.slice(from))
  term.line(color.dim(head))
  // Spaces collapse only after the marks are applied by position.
  term.line(`  ${text.replace(/ {2,}/g, ' ').trim()}`)
}
