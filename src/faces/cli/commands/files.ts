import type { FileDiff } from '../../../model/files/history.ts'
import { count, given } from '../arguments.ts'
import type { AddCommand, Cli, CliCommand, OpenCli } from '../cli.ts'
import { authorWords, changeWord, projectTarget } from '../project-meant.ts'
import { ago, clean, short } from '../terminal.ts'
import { countWords } from '../transcript.ts'
import { namesOf, type ScopeOptions } from '../whereabouts.ts'

const where = (command: CliCommand): CliCommand =>
  command
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('--project <project>', 'id or name of the project (default: the project of the folder itself)')

export const addFiles: AddCommand = (program) => {
  addChanges(program)
  addHistory(program)
  addDiff(program)
}

function addChanges(program: CliCommand): void {
  where(program.command('changes'))
    .summary('list the files changed by a run, a session or a project')
    .description('Lists the changed files of a run, of a session, or of a project since its creation.')
    .argument('[what]', 'id of a session or run, id or name of a project (default: the current folder)')
    .option('--from <n>', 'changes after this snapshot', count)
    .option('--to <n>', 'changes up to this snapshot', count)
    .addHelpText('after', '\nExamples:\n  $ carrel changes\n  $ carrel changes ses_01jc3q0f0g0h0j0k0m0n0p0q0r --json')
    .withCarrel(async (cli, [what], { from, to, ...at }) => {
      const { project, of } = await projectTarget(cli, what, at)
      const asked = { workspace: cli.workspace, project: project.id, ...of, ...given({ from, to }) }
      const found = await cli.carrel.call('history.changes', asked)
      const name = cli.term.json ? String : await namesOf(cli)
      cli.term.result(found, () => {
        const rows = found.changes.map((change) => [
          changeWord(change),
          clean(change.path),
          short(authorWords(change.author, name), 40),
          change.changedSince ? 'yes' : '',
        ])
        cli.term.table(['CHANGE', 'PATH', 'BY', 'CHANGED SINCE'], rows, 'No changes.')
        if (found.cut) cli.term.note('More changes exist. Name one run, or use --from and --to.')
      })
    })
}

function addHistory(program: CliCommand): void {
  where(program.command('history'))
    .summary('list the snapshots of a working copy, or the changes of one path')
    .description('Lists the snapshots of a working copy or the changes of one path, newest first.')
    .argument('[path]', 'path inside the working copy')
    .option('--session <id>', 'only changes of this session')
    .option('-n, --limit <n>', 'maximum number of rows', count, 30)
    .option('--accept-folder', 'first go on with another folder that stands where the working copy was')
    .addHelpText('after', '\nExamples:\n  $ carrel history\n  $ carrel history src/main.ts --limit 5')
    .withCarrel(async (cli, [path], options) => {
      if (options.acceptFolder) await acceptFolder(cli, options)
      await (path === undefined ? showSnapshots(cli, options) : showPath(cli, path, options))
    })
}

type HistoryOptions = ScopeOptions & { readonly session?: string; readonly limit: number }

async function acceptFolder(cli: OpenCli, { session, limit: _, ...at }: HistoryOptions): Promise<void> {
  const { carrel, workspace, term } = cli
  const { project } = await projectTarget(cli, session, at)
  const { n, changed } = await carrel.call('history.capture', { workspace, project: project.id, accept: true })
  term.note(`The folder was accepted. Paths changed by you: ${changed}. The newest snapshot is ${n}.`)
}

async function showSnapshots(cli: OpenCli, { session, limit, ...at }: HistoryOptions): Promise<void> {
  const { carrel, workspace, term } = cli
  const { project } = await projectTarget(cli, session, at)
  const page = await carrel.call('history.snapshots', {
    workspace,
    project: project.id,
    limit,
    ...given({ session }),
  })
  const name = term.json ? String : await namesOf(cli)
  term.result(page, () => {
    const rows = page.snapshots.map(({ n, at: when, reason, author, counts, pinned }) => [
      String(n),
      `${ago(when, term.now())} ago`,
      reason.replace('_', ' '),
      author ? short(authorWords(author, name), 40) : '',
      countWords(counts),
      pinned ? 'pinned' : '',
    ])
    term.table(['SNAPSHOT', 'WHEN', 'REASON', 'BY', 'FILES', ''], rows, 'No snapshots yet.')
    if (page.cursor) term.note('More snapshots exist. Use a larger --limit.')
  })
}

async function showPath(cli: OpenCli, path: string, { session, limit, ...at }: HistoryOptions): Promise<void> {
  const { carrel, workspace, term } = cli
  const { project } = await projectTarget(cli, session, at)
  const page = await carrel.call('history.path', { workspace, project: project.id, path, limit })
  const name = term.json ? String : await namesOf(cli)
  term.result(page, () => {
    const rows = page.changes.map((change) => [
      String(change.n),
      `${ago(change.at, term.now())} ago`,
      changeWord(change),
      short(authorWords(change.author, name), 40),
      change.after ? `${change.after.size} bytes` : '',
    ])
    const empty = 'No changes of this path since the history began.'
    term.table(['SNAPSHOT', 'WHEN', 'CHANGE', 'BY', 'SIZE'], rows, empty)
    if (page.cursor) term.note('More changes exist. Use a larger --limit.')
  })
}

function addDiff(program: CliCommand): void {
  where(program.command('diff'))
    .summary('show the changes of a file')
    .description('Compares two states of one path: its last change, two snapshots, or the changes of a run or session.')
    .argument('<path>', 'path inside the working copy')
    .option('--of <id>', 'changes of this run or session')
    .option('--from <n>', 'from this snapshot', count)
    .option('--to <n>', 'to this snapshot (default: the present file on disk)', count)
    .addHelpText('after', '\nExamples:\n  $ carrel diff src/main.ts\n  $ carrel diff src/main.ts --from 3 --to 7')
    .withCarrel(async (cli, [path], { of: id, from, to, ...at }) => {
      const { project, of } = await projectTarget(cli, id, at)
      const asked = { workspace: cli.workspace, project: project.id, path, ...of, ...given({ from, to }) }
      const diff = await cli.carrel.call('history.diff', asked)
      cli.term.result(diff, () => showDiff(cli, diff))
    })
}

const NO_TEXT: Readonly<Record<Exclude<FileDiff['content'], 'text'>, string>> = {
  binary: 'Binary file.',
  large: 'The file is too large to show.',
  gone: 'The content is no longer kept.',
}

/** Prints a unified diff, which other programs can read. */
function showDiff({ term }: Pick<Cli, 'term'>, { path, before, after, content, hunks }: FileDiff): void {
  const { color } = term
  const name = clean(path)
  // An empty diff would hide a typo in the path.
  if (!before && !after) return term.note(`${name} exists in neither state.`)
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
