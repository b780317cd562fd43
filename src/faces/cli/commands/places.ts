import { resolve } from 'node:path'
import type { Project } from '../../../model/tree.ts'
import { given } from '../arguments.ts'
import type { AddCommand } from '../cli.ts'
import { badInput } from '../problem.ts'
import { ago, short } from '../terminal.ts'
import { namesOf, spaceFor } from '../whereabouts.ts'
import { addTreeVerbs } from './tree.ts'

export const addWorkspaces: AddCommand = (program, act) => {
  const family = program
    .command('workspaces')
    .summary('list, create, rename, archive, delete workspaces')
    .description('Workspaces: what is in one is never seen from another.')
  family
    .command('list')
    .description('List the workspaces.')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const list = await carrel.call('workspaces.list', {})
          cli.term.result(list, () =>
            cli.term.table(
              ['WORKSPACE', 'NAME', 'ARCHIVED'],
              list.workspaces.map(({ id, name, archivedAt }) => [
                id,
                short(name, 60),
                archivedAt === null ? '' : 'yes',
              ]),
              'There are no workspaces.',
            ),
          )
        }),
      ),
    )
  family
    .command('create')
    .description('Make a workspace. Its id is for ever: small letters, digits, _ and -.')
    .argument('<id>')
    .option('--name <name>', 'the name that people read')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel workspaces create shop --name "The shop"\n  $ carrel --workspace shop run "hello"',
    )
    .action(
      act((cli, [id], { name }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const row = await carrel.call('workspaces.create', { id, ...given({ name }) })
          cli.term.result(row, () => cli.term.line(row.id))
        }),
      ),
    )
  const takes = 'All its Spaces, projects, sessions and logs go; folders of yours stay.'
  addTreeVerbs(family, act, { plural: 'workspaces', word: 'workspace', takes })
}

export const addSpaces: AddCommand = (program, act) => {
  const family = program
    .command('spaces')
    .summary('list, create, rename, archive, delete Spaces')
    .description('Spaces: places of work. Each is bound to one folder for good, or has one that Carrel made.')
  family
    .command('list')
    .description('List the Spaces.')
    .option('--archived', 'also archived ones')
    .action(
      act((cli, _, { archived }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const list = await carrel.call('spaces.list', { workspace: cli.workspace, archived: Boolean(archived) })
          cli.term.result(list, () =>
            cli.term.table(
              ['SPACE', 'NAME', 'FOLDER', ''],
              list.spaces.map(({ id, name, folder, state, archivedAt }) => [
                id,
                short(name, 40),
                folder,
                [state === 'missing' ? 'missing' : '', archivedAt === null ? '' : 'archived'].join(' ').trim(),
              ]),
              'There are no Spaces. `carrel run` makes one for the current folder.',
            ),
          )
        }),
      ),
    )
  family
    .command('create')
    .description('Make a Space for a folder, or with --blank one with a folder that Carrel makes.')
    .argument('[folder]', 'the folder (default: the current one)')
    .option('--blank', 'with a folder that Carrel makes')
    .option('--name <name>', 'the name that people read')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel spaces create ~/code/shop\n  $ carrel spaces create --blank --name "Trying things"',
    )
    .action(
      act((cli, [folder], { blank, name }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          if (blank && folder !== undefined)
            throw badInput('A blank Space has no folder of yours: leave one of both out.')
          const where = blank ? {} : { folder: resolve(cli.world.cwd, folder ?? '.') }
          const made = await carrel.call('spaces.create', { workspace: cli.workspace, ...where, ...given({ name }) })
          cli.term.result(made, () => cli.term.line(made.space.id))
        }),
      ),
    )
  const takes = 'Its projects, sessions and logs go; a folder of yours is never touched, one that Carrel made goes.'
  addTreeVerbs(family, act, { plural: 'spaces', word: 'Space', takes })
}

const many = (value: string, before: string[] = []): string[] => [...before, value]

function placeWords({ place }: Project): string {
  const { kind, state, branch, note } = place
  if (kind === 'direct') return ''
  if (state !== 'ready') return short(`${kind}, ${state}${note ? `: ${note}` : ''}`, 80)
  return branch ? `${kind}, ${branch}` : kind
}

export const addProjects: AddCommand = (program, act) => {
  const family = program
    .command('projects')
    .summary('list, create, rename, archive, delete projects')
    .description('Projects: lines of work in a Space.')
  family
    .command('list')
    .description('List the projects.')
    .option('-s, --space <space>', 'only those of this Space: id, name or folder')
    .option('--archived', 'also archived ones')
    .action(
      act((cli, _, { space, archived }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          const of = space === undefined ? {} : { space: (await spaceFor(cli, way, space, { create: false })).id }
          const list = await carrel.call('projects.list', { workspace, archived: Boolean(archived), ...of })
          const name = term.json ? String : await namesOf(carrel, workspace)
          term.result(list, () =>
            term.table(
              ['PROJECT', 'NAME', 'SPACE', 'PLACE', 'MADE'],
              list.projects.map((row) => [
                row.id,
                short(row.name, 40),
                short(name(row.space), 40),
                placeWords(row),
                `${ago(row.createdAt, term.now())} ago`,
              ]),
              'There are no projects.',
            ),
          )
        }),
      ),
    )
  family
    .command('create')
    .description('Begin a line of work in a Space.')
    .argument('<name...>')
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('--place <kind>', 'where its files are: direct, worktree or overlay (default: direct)')
    .option('--branch <name>', 'worktree: a branch to make or to take (default: a new one)')
    .option('--start <revision>', 'worktree: what to begin at (default: HEAD)')
    .option('--include <glob>', 'ignored files that come along, such as .env; may be said again', many)
    .option('--setup <word>', 'a program to run in the new place; say it again for each argument', many)
    .option('--driver <name>', 'overlay: how to keep it apart (`carrel copies drivers`)')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel projects create Main
  $ carrel projects create "New parser" --place worktree --branch parser --include .env --setup npm --setup ci
  $ carrel projects create "Try it" --place overlay`,
    )
    .action(
      act((cli, [words], { space, ...wishes }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { id } = await spaceFor(cli, way, space)
          const asked = { workspace: cli.workspace, space: id, name: words.join(' '), ...given(wishes) }
          const row = await carrel.call('projects.create', asked)
          cli.term.result(row, () => cli.term.line(row.id))
          if (row.place.state === 'making')
            cli.term.note('Its place is being made; `carrel projects list` says how far.')
        }),
      ),
    )
  addTreeVerbs(family, act, {
    plural: 'projects',
    word: 'project',
    takes: 'Its sessions and their logs go; files stay.',
  })
}
