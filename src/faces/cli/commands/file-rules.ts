import { collect, count } from '../arguments.ts'
import type { AddCommand, CliCommand } from '../cli.ts'
import { badInput } from '../problem.ts'
import { spaceFor } from '../whereabouts.ts'

const SPACE = ['-s, --space <space>', 'id, name or folder of the Space (default: the current folder)'] as const

export const addFileRules: AddCommand = (program) => {
  const group = program
    .command('file-rules')
    .summary('file rules: files left out of the history, and paths that need confirmation')
    .description('File rules of a Space: files left out of the history, and paths that need confirmation.')
  group
    .command('list')
    .description('List the rules in order; the first match decides.')
    .option(...SPACE)
    .withCarrel(async (cli, _, { space }) => {
      const { carrel, workspace, term } = cli
      const { id } = await spaceFor(cli, space, { create: false })
      const found = await carrel.call('fileRules.get', { workspace, id })
      const { paths, ignore, useGitignore, maxFileBytes } = found.rules
      term.result(found, () => {
        const rows = paths.map(({ glob, class: kind, action }) => [action, kind, glob])
        term.table(['ACTION', 'CLASS', 'PATHS'], rows, 'No rules: only conflicts need confirmation.')
        term.note(`Left out of the history: ${ignore.join(' ') || 'no patterns'}`)
        if (useGitignore) term.note('Also left out: files ignored by .gitignore files of the folder.')
        term.note(`Also left out: files over ${maxFileBytes} bytes.${found.changed ? '' : ' These are the defaults.'}`)
      })
    })
  addSet(group)
  group
    .command('check')
    .description('Find the rule that decides on a path.')
    .argument('<path>', 'path inside the folder')
    .option(...SPACE)
    .withCarrel(async (cli, [path], { space }) => {
      const { carrel, workspace, term } = cli
      const { id } = await spaceFor(cli, space, { create: false })
      const verdict = await carrel.call('fileRules.check', { workspace, id, path })
      term.result(verdict, () => {
        term.line(`${verdict.action}: ${verdict.class}${verdict.glob ? ` (${verdict.glob})` : ', no rule matches'}`)
        if (!verdict.covered) term.line('The history does not track this path.')
      })
    })
}

function addSet(group: CliCommand): void {
  group
    .command('set')
    .description('Add a rule before the others, change the files left out, or restore the defaults.')
    .argument('[glob]', 'paths, from the root of the folder; ** crosses folders')
    .argument('[action]', 'allow, confirm or block')
    .option('--class <class>', 'system, platform, work or temporary', 'work')
    .option('--ignore <line>', 'leave files out of the history, in .gitignore syntax; repeatable', collect)
    .option('--max-file <bytes>', 'leave out larger files', count)
    .option('--defaults', 'restore the defaults')
    .option(...SPACE)
    .addHelpText(
      'after',
      `
Examples:
  $ carrel file-rules set "db/migrations/**" confirm
  $ carrel file-rules set --ignore "data/" --max-file 1000000
  $ carrel file-rules set --defaults`,
    )
    .withCarrel(async (cli, [glob, action], { class: kind, ignore, maxFile, defaults, space }) => {
      const { carrel, workspace, term } = cli
      if (glob !== undefined && action === undefined)
        throw badInput('Name the action for these paths: allow, confirm or block.')
      const { id } = await spaceFor(cli, space, { create: false })
      const { rules } = await carrel.call('fileRules.get', { workspace, id })
      const more = {
        ...(glob === undefined || action === undefined
          ? {}
          : { paths: [{ glob, class: kind, action }, ...rules.paths] }),
        ...(ignore === undefined ? {} : { ignore: [...rules.ignore, ...ignore] }),
        ...(maxFile === undefined ? {} : { maxFileBytes: maxFile }),
      }
      if (!defaults && Object.keys(more).length === 0)
        throw badInput('Name a change: a glob and an action, --ignore, --max-file or --defaults.')
      const done = await carrel.call('fileRules.set', { workspace, id, rules: defaults ? null : more })
      term.result(done, () => term.line(defaults ? 'Restored the defaults.' : 'Changed.'))
    })
}
