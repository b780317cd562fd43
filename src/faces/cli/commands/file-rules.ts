import { count } from '../arguments.ts'
import type { AddCommand } from '../cli.ts'
import { badInput } from '../problem.ts'
import { spaceFor } from '../whereabouts.ts'

const SPACE = ['-s, --space <space>', 'id, name or folder of the Space (default: the current folder)'] as const

export const addFileRules: AddCommand = (program, act) => {
  const family = program
    .command('file-rules')
    .summary('which files the history covers, and which need a second look')
    .description(
      'Rules for the files of a Space: what the history leaves out, and what is not written without being named.',
    )
  family
    .command('list')
    .description('List the rules, in the order they are tried; the first that matches decides.')
    .option(...SPACE)
    .action(
      act((cli, _, { space }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          const { id } = await spaceFor(cli, way, space, { create: false })
          const found = await carrel.call('fileRules.get', { workspace, id })
          term.result(found, () => {
            const rows = found.rules.paths.map(({ glob, class: kind, action }) => [action, kind, glob])
            term.table(
              ['ACTION', 'CLASS', 'PATHS'],
              rows,
              'There are no rules: everything is written when it is not conflicts.',
            )
            term.note(`Left out of the history: ${found.rules.ignore.join(' ') || 'nothing'}`)
            if (found.rules.useGitignore) term.note('And what the .gitignore files of the folder name.')
            term.note(
              `And files over ${found.rules.maxFileBytes} bytes.${found.changed ? '' : ' These are the defaults.'}`,
            )
          })
        }),
      ),
    )
  family
    .command('set')
    .description('Put a rule before the others, change what is left out, or go back to the defaults.')
    .argument('[glob]', 'paths, from the root of the folder; ** crosses folders')
    .argument('[action]', 'allow, confirm or block')
    .option('--class <class>', 'system, platform, work or temporary', 'work')
    .option(
      '--ignore <line>',
      'leave this out of the history, as in an ignore file; may be said again',
      (line: string, before: string[] = []) => [...before, line],
    )
    .option('--max-file <bytes>', 'leave out files over this', count)
    .option('--defaults', 'go back to the defaults')
    .option(...SPACE)
    .addHelpText(
      'after',
      `
Examples:
  $ carrel file-rules set "db/migrations/**" confirm
  $ carrel file-rules set --ignore "data/" --max-file 1000000
  $ carrel file-rules set --defaults`,
    )
    .action(
      act((cli, [glob, action], { class: kind, ignore, maxFile, defaults, space }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          if (glob !== undefined && action === undefined)
            throw badInput('Say what to do with these paths: allow, confirm or block.')
          const { id } = await spaceFor(cli, way, space, { create: false })
          const { rules } = await carrel.call('fileRules.get', { workspace, id })
          const more = {
            ...(glob === undefined ? {} : { paths: [{ glob, class: kind, action }, ...rules.paths] }),
            ...(ignore === undefined ? {} : { ignore: [...rules.ignore, ...ignore] }),
            ...(maxFile === undefined ? {} : { maxFileBytes: maxFile }),
          }
          if (!defaults && Object.keys(more).length === 0)
            throw badInput('Say what to change: a glob and an action, --ignore, --max-file or --defaults.')
          const done = await carrel.call('fileRules.set', { workspace, id, rules: defaults ? null : more })
          term.result(done, () => term.line(defaults ? 'The defaults hold again.' : 'Changed.'))
        }),
      ),
    )
  family
    .command('check')
    .description('Say which rule decides on a path.')
    .argument('<path>', 'a path inside the folder')
    .option(...SPACE)
    .action(
      act((cli, [path], { space }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          const { id } = await spaceFor(cli, way, space, { create: false })
          const verdict = await carrel.call('fileRules.check', { workspace, id, path })
          term.result(verdict, () => {
            term.line(
              `${verdict.action}: ${verdict.class}${verdict.glob ? ` (${verdict.glob})` : ', as no rule names it'}`,
            )
            if (!verdict.covered) term.line('The history does not cover it.')
          })
        }),
      ),
    )
}
