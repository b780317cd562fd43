import type { Command } from 'commander'
import type { FileDiff } from '../../../model/history.ts'
import { count, given } from '../arguments.ts'
import type { Act, AddCommand, Cli } from '../cli.ts'
import { authorWords, changeWord, projectMeant, type WhereOptions } from '../project-meant.ts'
import { ago, clean, short } from '../terminal.ts'
import { countWords } from '../transcript.ts'
import { namesOf } from '../whereabouts.ts'

const where = (command: Command): Command =>
  command
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('--project <project>', 'id or name of the project (default: the one that works in the folder itself)')

export const addFiles: AddCommand = (program, act) => {
  addChanges(program, act)
  addHistory(program, act)
  addDiff(program, act)
}

function addChanges(program: Command, act: Act): void {
  where(program.command('changes'))
    .summary('list the files that a run, a session or a project changed')
    .description('Lists the files that were changed: by a run, by a session, or in a project since its beginning.')
    .argument('[what]', 'id of a session or run, id or name of a project (default: the current folder)')
    .option('--from <n>', 'since this snapshot', count)
    .option('--to <n>', 'until this snapshot', count)
    .addHelpText('after', '\nExamples:\n  $ carrel changes\n  $ carrel changes ses_01jc3q0f0g0h0j0k0m0n0p0q0r --json')
    .action(
      act((cli, [what], { from, to, ...at }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { project, of } = await projectMeant(cli, way, what, at)
          const asked = { workspace: cli.workspace, project: project.id, ...of, ...given({ from, to }) }
          const found = await carrel.call('history.changes', asked)
          const name = cli.term.json ? String : await namesOf(carrel, cli.workspace)
          cli.term.result(found, () => {
            const rows = found.changes.map((change) => [
              changeWord(change),
              clean(change.path),
              short(authorWords(change.author, name), 40),
              change.changedSince ? 'yes' : '',
            ])
            cli.term.table(['CHANGE', 'PATH', 'BY', 'CHANGED SINCE'], rows, 'Nothing was changed.')
            if (found.cut) cli.term.note('There are more: ask for one run, or between snapshots with --from and --to.')
          })
        }),
      ),
    )
}

function addHistory(program: Command, act: Act): void {
  where(program.command('history'))
    .summary('list the snapshots of a folder, or the changes of one path')
    .description('Lists the snapshots of a place, newest first, or with a path the changes of that path.')
    .argument('[path]', 'a path inside the place')
    .option('--session <id>', 'only what this session did')
    .option('-n, --limit <n>', 'at most so many', count, 30)
    .addHelpText('after', '\nExamples:\n  $ carrel history\n  $ carrel history src/main.ts --limit 5')
    .action(
      act((cli, [path], options) => (path === undefined ? showSnapshots(cli, options) : showPath(cli, path, options))),
    )
}

type HistoryOptions = WhereOptions & { readonly session?: string; readonly limit: number }

function showSnapshots(cli: Cli, { session, limit, ...at }: HistoryOptions): Promise<void> {
  return cli.withCarrel({ runs: false }, async (carrel, way) => {
    const { workspace, term } = cli
    const { project } = await projectMeant(cli, way, session, at)
    const page = await carrel.call('history.snapshots', {
      workspace,
      project: project.id,
      limit,
      ...given({ session }),
    })
    const name = term.json ? String : await namesOf(carrel, workspace)
    term.result(page, () => {
      const rows = page.snapshots.map(({ n, at: when, reason, author, counts, pinned }) => [
        String(n),
        `${ago(when, term.now())} ago`,
        reason.replace('_', ' '),
        author ? short(authorWords(author, name), 40) : '',
        countWords(counts),
        pinned ? 'kept' : '',
      ])
      term.table(['SNAPSHOT', 'WHEN', 'WHY', 'BY', 'FILES', ''], rows, 'There are no snapshots yet.')
      if (page.cursor) term.note('There are more: say a larger --limit.')
    })
  })
}

function showPath(cli: Cli, path: string, { session, limit, ...at }: HistoryOptions): Promise<void> {
  return cli.withCarrel({ runs: false }, async (carrel, way) => {
    const { workspace, term } = cli
    const { project } = await projectMeant(cli, way, session, at)
    const page = await carrel.call('history.path', { workspace, project: project.id, path, limit })
    const name = term.json ? String : await namesOf(carrel, workspace)
    term.result(page, () => {
      const rows = page.changes.map((change) => [
        String(change.n),
        `${ago(change.at, term.now())} ago`,
        changeWord(change),
        short(authorWords(change.author, name), 40),
        change.after ? `${change.after.size} bytes` : '',
      ])
      term.table(
        ['SNAPSHOT', 'WHEN', 'CHANGE', 'BY', 'SIZE'],
        rows,
        'This path was not changed since the history began.',
      )
      if (page.cursor) term.note('There are more: say a larger --limit.')
    })
  })
}

function addDiff(program: Command, act: Act): void {
  where(program.command('diff'))
    .summary('show what changed in a file')
    .description('Shows one path in two states: its last change, two snapshots, or what a run or session did to it.')
    .argument('<path>', 'a path inside the place')
    .option('--of <id>', 'what this run or session did to it')
    .option('--from <n>', 'from this snapshot', count)
    .option('--to <n>', 'to this snapshot (default: what is on the disk now)', count)
    .addHelpText('after', '\nExamples:\n  $ carrel diff src/main.ts\n  $ carrel diff src/main.ts --from 3 --to 7')
    .action(
      act((cli, [path], { of: id, from, to, ...at }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { project, of } = await projectMeant(cli, way, id, at)
          const asked = { workspace: cli.workspace, project: project.id, path, ...of, ...given({ from, to }) }
          const diff = await carrel.call('history.diff', asked)
          cli.term.result(diff, () => showDiff(cli, diff))
        }),
      ),
    )
}

const NO_TEXT: Readonly<Record<Exclude<FileDiff['content'], 'text'>, string>> = {
  binary: 'It is no text.',
  large: 'It is too large to be shown.',
  gone: 'Its content is not kept any more.',
}

/** As a unified diff, which other programs read too. */
export function showDiff({ term }: Pick<Cli, 'term'>, { path, before, after, content, hunks }: FileDiff): void {
  const { color } = term
  const name = clean(path)
  // An empty diff would hide a slip of the pen in the path.
  if (!before && !after) return term.note(`${name} is in neither state.`)
  term.line(color.bold(`--- ${before ? `a/${name}` : '/dev/null'}`))
  term.line(color.bold(`+++ ${after ? `b/${name}` : '/dev/null'}`))
  if (content !== 'text') return term.note(NO_TEXT[content])
  for (const { oldStart, oldLines, newStart, newLines, lines } of hunks) {
    term.line(color.cyan(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`))
    for (const line of lines) {
      const paint = line.startsWith('+') ? color.green : line.startsWith('-') ? color.red : String
      term.line(paint(clean(line)))
    }
  }
}
