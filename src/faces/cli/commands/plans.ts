import type { Command } from 'commander'
import type { Carrel } from '../../../api/index.ts'
import { talkAt } from '../../../client/talk-at.ts'
import { CarrelError } from '../../../model/errors.ts'
import type { PlanRequest } from '../../../model/history.ts'
import { ActId, RunId, SessionId } from '../../../model/ids.ts'
import { count } from '../arguments.ts'
import type { Act, AddCommand, Cli } from '../cli.ts'
import { type PlanOptions, planAndDo } from '../planning.ts'
import { badInput } from '../problem.ts'
import { projectMeant, type WhereOptions } from '../project-meant.ts'
import { projectFor } from '../whereabouts.ts'

const many = (value: string, before: string[] = []): string[] => [...before, value]

const doing = (command: Command): Command =>
  command
    .option('--yes', 'do it without asking')
    .option('--overwrite <path>', 'write this path though it is conflicts; may be said again', many)
    .option('--leave <path>', 'leave this conflicts path as it is; may be said again', many)
    .option('--leave-rest', 'leave all conflicts paths that are not named')
    .option('--path <path>', 'only this path, or what is below it; may be said again', many)

const placed = (command: Command): Command =>
  command
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('--project <project>', 'id or name of the project')

type DoOptions = PlanOptions & WhereOptions & { readonly path?: readonly string[] }
const pathsIn = ({ path }: DoOptions) => (path === undefined ? {} : { paths: [...path] })

export const addPlans: AddCommand = (program, act) => {
  addUndo(program, act)
  addRestore(program, act)
  addApply(program, act)
}

function addUndo(program: Command, act: Act): void {
  placed(doing(program.command('undo')))
    .summary('take back what a run, a session or an act did to files')
    .description(
      'Takes back what a run or session did, or an earlier undo, restore or apply. What others did stays. Without --yes it shows the plan first.',
    )
    .argument('<what>', 'id of a run, session or act')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel undo run_01jc3q0f0g0h0j0k0m0n0p0q0r
  $ carrel undo ses_01jc3q0f0g0h0j0k0m0n0p0q0r --yes --leave-rest`,
    )
    .action(
      act((cli, [what], options) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const of = undoOf(what)
          const { project } = await projectMeant(cli, way, of.kind === 'act' ? undefined : what, options)
          await planAndDo(
            cli,
            carrel,
            { project: project.id, request: { kind: 'undo', of, ...pathsIn(options) } },
            options,
          )
        }),
      ),
    )
}

function undoOf(what: string): Extract<PlanRequest, { kind: 'undo' }>['of'] {
  const run = RunId.safeParse(what)
  if (run.success) return { kind: 'run', run: run.data }
  const session = SessionId.safeParse(what)
  if (session.success) return { kind: 'session', session: session.data }
  const done = ActId.safeParse(what)
  if (done.success) return { kind: 'act', act: done.data }
  throw badInput(`${JSON.stringify(what)} is no id of a run, session or act. \`carrel ps --all\` lists runs.`)
}

function addRestore(program: Command, act: Act): void {
  placed(doing(program.command('restore')))
    .summary('go back to a snapshot')
    .description('Makes files as they were in a snapshot. Without --yes it shows the plan first.')
    .argument('<n>', 'number of the snapshot (`carrel history`)', count)
    .argument('[paths...]', 'only these, and what is below them')
    .option('--fork <session>', 'also fork this session where it was at that time, so that the talk goes back too')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel restore 12
  $ carrel restore 12 src/main.ts --yes
  $ carrel restore 12 --fork ses_01jc3q0f0g0h0j0k0m0n0p0q0r`,
    )
    .action(
      act((cli, [to, paths], { fork, ...options }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { project } = await projectMeant(cli, way, fork, options)
          const chosen = [...(paths ?? []), ...(options.path ?? [])]
          const request = { kind: 'restore' as const, to, ...(chosen.length > 0 ? { paths: chosen } : {}) }
          const done = await planAndDo(cli, carrel, { project: project.id, request }, options)
          if (done && fork !== undefined) await forkAt(cli, carrel, fork, to)
        }),
      ),
    )
}

/** The session as it was when the snapshot was taken, as a new one. */
async function forkAt(cli: Cli, carrel: Carrel, session: string, n: number): Promise<void> {
  const { workspace, term } = cli
  const seq = await talkAt(carrel, { workspace, id: session }, n)
  if (seq === null)
    throw new CarrelError('not_found', `${session} had not begun at snapshot ${n}, so it was not forked.`)
  const row = await carrel.call('sessions.fork', { workspace, id: session, seq })
  term.result(row, () => term.line(row.id))
}

function addApply(program: Command, act: Act): void {
  placed(doing(program.command('apply')))
    .summary('bring what a project did in its own place to the folder of its Space')
    .description(
      'Brings what a project did in its worktree or overlay to the folder of its Space. Without --yes it shows the plan first.',
    )
    .argument('<project>', 'id or name of the project')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel apply "Try the new parser"\n  $ carrel apply prj_... --path src --yes',
    )
    .action(
      act((cli, [from], options) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace } = cli
          const source = await projectFor(cli, way, { project: from, space: options.space })
          const { projects } = await carrel.call('projects.list', { workspace, space: source.space })
          const target = projects.find(({ place }) => place.kind === 'direct')
          if (!target)
            throw new CarrelError(
              'not_found',
              'No project works in the folder of this Space itself. `carrel projects create` makes one.',
            )
          const request = { kind: 'apply' as const, from: source.id, ...pathsIn(options) }
          await planAndDo(cli, carrel, { project: target.id, request }, options)
        }),
      ),
    )
}
