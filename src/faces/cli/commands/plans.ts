import { talkAt } from '../../../client/talk-at.ts'
import { CarrelError } from '../../../model/errors.ts'
import type { PlanRequest } from '../../../model/files/history.ts'
import { ActId, RunId, SessionId } from '../../../model/ids.ts'
import { collect, count } from '../arguments.ts'
import type { AddCommand, CliCommand, OpenCli } from '../cli.ts'
import { type PlanOptions, planAndApply } from '../planning.ts'
import { badInput } from '../problem.ts'
import { projectTarget } from '../project-meant.ts'
import { projectFor, type ScopeOptions } from '../whereabouts.ts'

const withPlanOptions = (command: CliCommand): CliCommand =>
  command
    .option('--yes', 'apply the plan without asking')
    .option('--overwrite <path>', 'overwrite this path, which needs confirmation; repeatable', collect)
    .option('--leave <path>', 'leave this path, which needs confirmation; repeatable', collect)
    .option('--leave-rest', 'leave all other paths that need confirmation')
    .option('--unwatched <word>', 'overwrite or leave all paths written while no server looked', oneDecision)
    .option('--path <path>', 'only this path and everything below it; repeatable', collect)

function oneDecision(word: string): 'overwrite' | 'leave' {
  if (word === 'overwrite' || word === 'leave') return word
  throw badInput(`${JSON.stringify(word)} is no decision. Use overwrite or leave.`)
}

const withProject = (command: CliCommand): CliCommand =>
  command
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('--project <project>', 'id or name of the project')

type ApplyOptions = PlanOptions & ScopeOptions & { readonly path?: readonly string[] }
const pathsIn = ({ path }: ApplyOptions) => (path === undefined ? {} : { paths: [...path] })

export const addPlans: AddCommand = (program) => {
  addUndo(program)
  addRestore(program)
  addApply(program)
}

function addUndo(program: CliCommand): void {
  withProject(withPlanOptions(program.command('undo')))
    .summary('undo the file changes of a run, a session or an act')
    .description(
      'Undoes the file changes of a run or session, or an earlier undo, restore or apply. Changes of other authors stay. Without --yes, shows the plan first.',
    )
    .argument('<what>', 'id of a run, session or act')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel undo run_01jc3q0f0g0h0j0k0m0n0p0q0r
  $ carrel undo ses_01jc3q0f0g0h0j0k0m0n0p0q0r --yes --leave-rest`,
    )
    .withCarrel(async (cli, [what], options) => {
      const of = undoOf(what)
      const { project } = await projectTarget(cli, of.kind === 'act' ? undefined : what, options)
      const request = { kind: 'undo' as const, of, ...pathsIn(options) }
      await planAndApply(cli, { project: project.id, request }, options)
    })
}

function undoOf(what: string): Extract<PlanRequest, { kind: 'undo' }>['of'] {
  const run = RunId.safeParse(what)
  if (run.success) return { kind: 'run', run: run.data }
  const session = SessionId.safeParse(what)
  if (session.success) return { kind: 'session', session: session.data }
  const done = ActId.safeParse(what)
  if (done.success) return { kind: 'act', act: done.data }
  throw badInput(`${JSON.stringify(what)} is not the id of a run, session or act. \`carrel ps --all\` lists runs.`)
}

function addRestore(program: CliCommand): void {
  withProject(withPlanOptions(program.command('restore')))
    .summary('restore files from a snapshot')
    .description('Restores files from a snapshot. Without --yes, shows the plan first.')
    .argument('<n>', 'number of the snapshot (`carrel history`)', count)
    .argument('[paths...]', 'only these paths and everything below them')
    .option('--fork <session>', 'also fork this session as of that snapshot, so that the conversation goes back too')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel restore 12
  $ carrel restore 12 src/main.ts --yes
  $ carrel restore 12 --fork ses_01jc3q0f0g0h0j0k0m0n0p0q0r`,
    )
    .withCarrel(async (cli, [to, paths], { fork, ...options }) => {
      const { project } = await projectTarget(cli, fork, options)
      const chosen = [...(paths ?? []), ...(options.path ?? [])]
      const request = { kind: 'restore' as const, to, ...(chosen.length > 0 ? { paths: chosen } : {}) }
      const done = await planAndApply(cli, { project: project.id, request }, options)
      if (done && fork !== undefined) await forkAt(cli, fork, to)
    })
}

async function forkAt(cli: OpenCli, session: string, n: number): Promise<void> {
  const { carrel, workspace, term } = cli
  const seq = await talkAt(carrel, { workspace, id: session }, n)
  if (seq === null)
    throw new CarrelError('not_found', `The session ${session} started after snapshot ${n} and was not forked.`)
  const row = await carrel.call('sessions.fork', { workspace, id: session, seq })
  term.result(row, () => term.line(row.id))
}

function addApply(program: CliCommand): void {
  withProject(withPlanOptions(program.command('apply')))
    .summary("apply the changes of a project's working copy to the folder of its Space")
    .description(
      "Applies the changes of a project's worktree or overlay to the folder of its Space. Without --yes, shows the plan first.",
    )
    .argument('<project>', 'id or name of the project')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel apply "Try the new parser"\n  $ carrel apply prj_... --path src --yes',
    )
    .withCarrel(async (cli, [from], options) => {
      const { carrel, workspace } = cli
      const source = await projectFor(cli, { project: from, space: options.space })
      const { projects } = await carrel.call('projects.list', { workspace, space: source.space })
      const target = projects.find(({ place }) => place.kind === 'direct')
      if (!target)
        throw new CarrelError(
          'not_found',
          'No project works in the folder of this Space itself. Create one with `carrel projects create`.',
        )
      const request = { kind: 'apply' as const, from: source.id, ...pathsIn(options) }
      await planAndApply(cli, { project: target.id, request }, options)
    })
}
