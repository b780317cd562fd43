import { resolve } from 'node:path'
import type { Project } from '../../../model/tree.ts'
import { collect, given } from '../arguments.ts'
import type { AddCommand, CliCommand } from '../cli.ts'
import { badInput } from '../problem.ts'
import { ago, short } from '../terminal.ts'
import { namesOf, spaceFor } from '../whereabouts.ts'
import { addAdopt } from './machines.ts'
import { addTreeVerbs } from './tree.ts'

export const addWorkspaces: AddCommand = (program) => {
  const group = program
    .command('workspaces')
    .summary('list, create, rename, archive, delete workspaces')
    .description('Workspaces: tenants. No data crosses the boundary of a workspace.')
  group
    .command('list')
    .description('List the workspaces.')
    .withCarrel(async ({ carrel, term }) => {
      const list = await carrel.call('workspaces.list', {})
      term.result(list, () => {
        const rows = list.workspaces.map(({ id, name, archivedAt }) => [
          id,
          short(name, 60),
          archivedAt === null ? '' : 'yes',
        ])
        term.table(['WORKSPACE', 'NAME', 'ARCHIVED'], rows, 'No workspaces.')
      })
    })
  group
    .command('create')
    .description('Create a workspace. Its id never changes: small letters, digits, _ and -.')
    .argument('<id>')
    .option('--name <name>', 'display name')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel workspaces create shop --name "The shop"\n  $ carrel --workspace shop run "hello"',
    )
    .withCarrel(async (cli, [id], { name }) => {
      const row = await cli.carrel.call('workspaces.create', { id, ...given({ name }) })
      cli.term.result(row, () => cli.term.line(row.id))
    })
  const takes = 'Deletes all its Spaces, projects, sessions and logs; your own folders stay.'
  addTreeVerbs(group, { plural: 'workspaces', word: 'workspace', takes })
}

export const addSpaces: AddCommand = (program) => {
  const group = program
    .command('spaces')
    .summary('list, create, adopt, rename, archive, delete Spaces')
    .description('Spaces: folders in which agents work. A Space is one folder: yours, or one that Carrel creates.')
  group
    .command('list')
    .description('List the Spaces.')
    .option('--archived', 'include archived Spaces')
    .withCarrel(async ({ carrel, term, workspace }, _, { archived }) => {
      const list = await carrel.call('spaces.list', { workspace, archived: Boolean(archived) })
      term.result(list, () => {
        const rows = list.spaces.map(({ id, name, folder, state, archivedAt }) => [
          id,
          short(name, 40),
          folder,
          [state === 'present' ? '' : state, archivedAt === null ? '' : 'archived'].join(' ').trim(),
        ])
        const empty = 'No Spaces. `carrel run` creates one for the current folder.'
        term.table(['SPACE', 'NAME', 'FOLDER', ''], rows, empty)
      })
    })
  group
    .command('create')
    .description('Create a Space for a folder, or a blank Space with a folder that Carrel creates.')
    .argument('[folder]', 'the folder (default: the current one)')
    .option('--blank', 'use a folder that Carrel creates')
    .option('--name <name>', 'display name')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel spaces create ~/code/shop\n  $ carrel spaces create --blank --name "Trying things"',
    )
    .withCarrel(async (cli, [folder], { blank, name }) => {
      if (blank && folder !== undefined) throw badInput('Use either a folder or --blank, not both.')
      const where = blank ? {} : { folder: resolve(cli.world.cwd, folder ?? '.') }
      const created = await cli.carrel.call('spaces.create', { workspace: cli.workspace, ...where, ...given({ name }) })
      cli.term.result(created, () => cli.term.line(created.space.id))
    })
  addAdopt(group)
  const takes =
    'Deletes its projects, sessions and logs. Your own folder stays; a folder that Carrel created is deleted.'
  addTreeVerbs(group, { plural: 'spaces', word: 'Space', takes })
}

export const addProjects: AddCommand = (program) => {
  const group = program
    .command('projects')
    .summary('list, create, rename, archive, delete projects')
    .description('Projects: lines of work in a Space, each with a working copy.')
  group
    .command('list')
    .description('List the projects.')
    .option('-s, --space <space>', 'only of this Space: id, name or folder')
    .option('--archived', 'include archived projects')
    .withCarrel(async (cli, _, { space, archived }) => {
      const { carrel, workspace, term } = cli
      const of = space === undefined ? {} : { space: (await spaceFor(cli, space, { create: false })).id }
      const list = await carrel.call('projects.list', { workspace, archived: Boolean(archived), ...of })
      const name = term.json ? String : await namesOf(cli)
      term.result(list, () => {
        const rows = list.projects.map((row) => [
          row.id,
          short(row.name, 40),
          short(name(row.space), 40),
          placeWords(row),
          `${ago(row.createdAt, term.now())} ago`,
        ])
        term.table(['PROJECT', 'NAME', 'SPACE', 'WORKING COPY', 'CREATED'], rows, 'No projects.')
      })
    })
  addCreateProject(group)
  const takes = 'Deletes its sessions and their logs; files stay.'
  addTreeVerbs(group, { plural: 'projects', word: 'project', takes })
}

function placeWords({ place }: Project): string {
  const { kind, state, branch, note } = place
  if (kind === 'direct') return ''
  if (state !== 'ready') return short(`${kind}, ${state}${note ? `: ${note}` : ''}`, 80)
  return branch ? `${kind}, ${branch}` : kind
}

function addCreateProject(group: CliCommand): void {
  group
    .command('create')
    .description('Create a project in a Space.')
    .argument('<name...>')
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('--place <kind>', 'working copy: direct, worktree or overlay (default: direct)')
    .option('--branch <name>', 'worktree: branch to create or to use (default: a new branch)')
    .option('--start <revision>', 'worktree: commit to start from (default: HEAD)')
    .option('--include <glob>', 'also copy these ignored files, such as .env; repeatable', collect)
    .option('--setup <word>', 'setup command in the new working copy; repeat for each argument', collect)
    .option('--driver <name>', 'overlay: isolation driver (`carrel copies drivers`)')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel projects create Main
  $ carrel projects create "New parser" --place worktree --branch parser --include .env --setup npm --setup ci
  $ carrel projects create "Try it" --place overlay`,
    )
    .withCarrel(async (cli, [words], { space, ...options }) => {
      const { id } = await spaceFor(cli, space)
      const input = { workspace: cli.workspace, space: id, name: words.join(' '), ...given(options) }
      const row = await cli.carrel.call('projects.create', input)
      cli.term.result(row, () => cli.term.line(row.id))
      if (row.place.state === 'making')
        cli.term.note('Creating its working copy; `carrel projects list` shows the state.')
    })
}
