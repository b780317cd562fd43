import { CarrelError } from '../../model/errors.ts'
import { onlyUnwatched } from '../../model/files/authorship.ts'
import type { Conflict, Plan, PlanEntry, PlanRequest } from '../../model/files/history.ts'
import type { Cli, OpenCli } from './cli.ts'
import { withLines } from './lines.ts'
import { authorWords } from './project-meant.ts'
import { clean, short } from './terminal.ts'
import { namesOf } from './whereabouts.ts'

export interface PlanOptions {
  readonly yes?: boolean
  readonly overwrite?: readonly string[]
  readonly leave?: readonly string[]
  /** Leave all unnamed paths that need confirmation. */
  readonly leaveRest?: boolean
  /** One decision for all unnamed paths that were written while no server looked. */
  readonly unwatched?: 'overwrite' | 'leave'
}

interface Decisions {
  readonly overwrite: string[]
  readonly leave: string[]
}

/** Shows a plan, asks the person at the terminal, and applies it. Returns whether its state is reached: applied, or no file differs. */
export async function planAndApply(
  cli: OpenCli,
  { project, request }: { readonly project: string; readonly request: PlanRequest },
  options: PlanOptions,
): Promise<boolean> {
  const { carrel, workspace, term } = cli
  const plan = await carrel.call('plans.make', { workspace, project, request })
  // A program with --yes gets one document: the act.
  if (!options.yes || !term.json) await showPlan(cli, plan)
  if (plan.entries.length === 0) {
    if (options.yes) term.data(plan)
    return options.yes === true || term.interactive
  }
  const decisions = await decide(cli, plan, options)
  if (decisions === null) {
    term.note('Nothing was changed. Use --yes to apply the plan.')
    return false
  }
  const act = await carrel.call('plans.apply', { workspace, project, request, digest: plan.digest, ...decisions })
  term.result(act, () => {
    term.line(`Files written: ${act.written.length}, left unchanged: ${act.left.length}. ${act.id}`)
    for (const notice of act.notices ?? []) term.line(notice)
    term.note(`Undo with: carrel undo ${act.id}`)
  })
  return true
}

async function showPlan(cli: OpenCli, plan: Plan): Promise<void> {
  const { term } = cli
  const name = term.json ? String : await namesOf(cli)
  term.result(plan, () => {
    const rows = plan.entries.map((entry) => [
      wordOf(entry),
      clean(entry.path),
      entry.author ? short(authorWords(entry.author, name), 30) : '',
      entry.conflicts.map((reason) => reasonWords(reason, name)).join('; '),
    ])
    term.table(['CHANGE', 'PATH', 'AUTHOR', 'NEEDS CONFIRMATION'], rows, 'Nothing would change.')
    if (plan.gaps.length > 0) term.note(`Paths not tracked, will not be touched: ${plan.gaps.length}.`)
  })
}

function wordOf({ how, now, next }: PlanEntry): string {
  if (how === 'delete') return 'delete'
  if (how === 'merge') return 'merge'
  return now === null ? (next?.kind === 'folder' ? 'make folder' : 'create') : 'overwrite'
}

function reasonWords(reason: Conflict, name: (id: string) => string): string {
  switch (reason.kind) {
    case 'others_work':
      return `conflict: changed later by ${authorWords(reason.by, name)}`
    case 'merge_conflict':
      return `merge conflict in ${reason.hunks} ${reason.hunks === 1 ? 'place' : 'places'}`
    case 'uncertain':
      return reason.among.length === 1
        ? 'written while the run waited, by it or by somebody else'
        : `written by one of ${reason.among.length} runs; which one is unknown`
    case 'unwatched':
      return 'written while no server looked, by the run or by somebody else'
    case 'file_rule':
      return `file rule: ${reason.action} ${reason.class} (${reason.pattern})`
    case 'in_use':
      return `in use by ${name(reason.session)}`
    case 'gap':
      return reason.why
    case 'only_copy':
      return 'only copy: its content came from outside of the history'
  }
}

/** Decides which paths to overwrite and which to leave; null when the person does not apply the plan. */
async function decide(cli: Cli, plan: Plan, options: PlanOptions): Promise<Decisions | null> {
  const overwrite = [...(options.overwrite ?? [])]
  const leave = [...(options.leave ?? [])]
  const unnamed = plan.entries.filter(
    ({ path, conflicts }) => conflicts.length > 0 && !overwrite.includes(path) && !leave.includes(path),
  )
  const [cut, open] = options.unwatched
    ? [unnamed.filter(onlyUnwatched), unnamed.filter((entry) => !onlyUnwatched(entry))]
    : [[], unnamed]
  ;(options.unwatched === 'leave' ? leave : overwrite).push(...cut.map(({ path }) => path))
  if (options.leaveRest) leave.push(...open.map(({ path }) => path))
  else if (open.length > 0 && options.yes) {
    throw new CarrelError(
      'conflict',
      `Paths that need confirmation (${open.length}): ${open
        .slice(0, 5)
        .map(({ path }) => path)
        .join(
          ', ',
        )}. Name each with --overwrite or --leave, or use --leave-rest.${open.every(onlyUnwatched) ? ' No server looked when they were written: --unwatched overwrite decides about all.' : ''}`,
      { conflicts: open },
    )
  } else if (open.length > 0 && cli.term.interactive) {
    const answers = await askEach(cli, open)
    if (answers === null) return null
    return (await confirm(cli))
      ? { overwrite: [...overwrite, ...answers.overwrite], leave: [...leave, ...answers.leave] }
      : null
  }
  if (options.yes) return { overwrite, leave }
  return cli.term.interactive && (await confirm(cli)) ? { overwrite, leave } : null
}

async function askEach(cli: Cli, open: readonly PlanEntry[]): Promise<Decisions | null> {
  return await withLines(cli.world, async (lines, signal) => {
    const decisions: Decisions = { overwrite: [], leave: [] }
    for (const { path } of open) {
      const answer = (await lines.ask(`${clean(path)}: [o]verwrite or [l]eave? `, signal))?.trim().toLowerCase()
      if (answer === 'o' || answer === 'overwrite') decisions.overwrite.push(path)
      else if (answer === 'l' || answer === 'leave') decisions.leave.push(path)
      else return null
    }
    return decisions
  })
}

async function confirm(cli: Cli): Promise<boolean> {
  const answer = await withLines(cli.world, (lines, signal) => lines.ask('Apply this plan? [y/N] ', signal))
  return /^y(es)?$/i.test(answer?.trim() ?? '')
}
