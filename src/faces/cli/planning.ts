import type { Carrel } from '../../api/index.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Conflict, Plan, PlanEntry, PlanRequest } from '../../model/history.ts'
import type { Cli } from './cli.ts'
import { type Lines, openLines } from './lines.ts'
import { authorWords } from './project-meant.ts'
import { clean, short } from './terminal.ts'
import { namesOf } from './whereabouts.ts'

/** How a plan is to be carried out, as far as it was said. */
export interface PlanOptions {
  readonly yes?: boolean
  readonly overwrite?: readonly string[]
  readonly leave?: readonly string[]
  /** Conflict paths that are not named stay as they are. */
  readonly leaveRest?: boolean
}

interface Naming {
  readonly overwrite: string[]
  readonly leave: string[]
}

/** Shows what would be done, asks where somebody is there to ask, and does it. Returns whether it was done. */
export async function planAndDo(
  cli: Cli,
  carrel: Carrel,
  { project, request }: { readonly project: string; readonly request: PlanRequest },
  options: PlanOptions,
): Promise<boolean> {
  const { workspace, term } = cli
  const plan = await carrel.call('plans.make', { workspace, project, request })
  // A program that says yes wants one document: what was done.
  if (!options.yes || !term.json) await showPlan(cli, carrel, plan)
  if (plan.entries.length === 0) {
    if (options.yes) term.data(plan)
    return false
  }
  const named = await nameConflicts(cli, plan, options)
  if (named === null) {
    term.note('Nothing was done. Say --yes to do it.')
    return false
  }
  const act = await carrel.call('plans.apply', { workspace, project, request, digest: plan.digest, ...named })
  term.result(act, () => {
    term.line(`${act.written.length} written, ${act.left.length} left as they are. ${act.id}`)
    term.note(`To take it back: carrel undo ${act.id}`)
  })
  return true
}

async function showPlan(cli: Cli, carrel: Carrel, plan: Plan): Promise<void> {
  const { term } = cli
  const name = term.json ? String : await namesOf(carrel, cli.workspace)
  term.result(plan, () => {
    const rows = plan.entries.map((entry) => [
      wordOf(entry),
      clean(entry.path),
      entry.author ? short(authorWords(entry.author, name), 30) : '',
      entry.conflicts.map((reason) => whyWords(reason, name)).join('; '),
    ])
    term.table(['DO', 'PATH', 'WHOSE', 'NEEDS A WORD BECAUSE'], rows, 'Nothing would change.')
    if (plan.gaps.length > 0)
      term.note(`${plan.gaps.length} paths are not covered by the history and stay as they are.`)
  })
}

function wordOf({ how, now, next }: PlanEntry): string {
  if (how === 'delete') return 'delete'
  if (how === 'merge') return 'merge'
  return now === null ? (next?.kind === 'folder' ? 'make folder' : 'create') : 'overwrite'
}

/** Why a path is not written without being told to. */
export function whyWords(reason: Conflict, name: (id: string) => string): string {
  switch (reason.kind) {
    case 'others_work':
      return `${authorWords(reason.by, name)} changed it since`
    case 'merge_conflict':
      return `${reason.hunks} places were changed on both sides`
    case 'uncertain':
      return 'one of several sessions changed it'
    case 'file_rule':
      return reason.action === 'block'
        ? `${reason.class}: never written (${reason.pattern})`
        : `${reason.class} (${reason.pattern})`
    case 'in_use':
      return `${name(reason.session)} works with it now`
    case 'gap':
      return reason.why
  }
}

/** Which conflicts paths to overwrite and which to leave; null when the person does not want it done. */
async function nameConflicts(cli: Cli, plan: Plan, options: PlanOptions): Promise<Naming | null> {
  const overwrite = [...(options.overwrite ?? [])]
  const leave = [...(options.leave ?? [])]
  const open = plan.entries.filter(
    ({ path, conflicts }) => conflicts.length > 0 && !overwrite.includes(path) && !leave.includes(path),
  )
  if (options.leaveRest) leave.push(...open.map(({ path }) => path))
  else if (open.length > 0 && options.yes) {
    throw new CarrelError(
      'conflict',
      `${open.length} paths need a word: ${open
        .slice(0, 5)
        .map(({ path }) => path)
        .join(', ')}. Name each with --overwrite or --leave, or say --leave-rest.`,
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

async function askEach(cli: Cli, open: readonly PlanEntry[]): Promise<Naming | null> {
  return await withLines(cli, async (lines, signal) => {
    const named: Naming = { overwrite: [], leave: [] }
    for (const { path } of open) {
      const said = (await lines.ask(`${clean(path)}: [o]verwrite or [l]eave it? `, signal))?.trim().toLowerCase()
      if (said === 'o' || said === 'overwrite') named.overwrite.push(path)
      else if (said === 'l' || said === 'leave') named.leave.push(path)
      else return null
    }
    return named
  })
}

async function confirm(cli: Cli): Promise<boolean> {
  const said = await withLines(cli, (lines, signal) => lines.ask('Do it? [y/N] ', signal))
  return /^y(es)?$/i.test(said?.trim() ?? '')
}

async function withLines<T>(cli: Cli, use: (lines: Lines, signal: AbortSignal) => Promise<T>): Promise<T> {
  const leaving = new AbortController()
  const lines = openLines(cli.world, { onInterrupt: () => leaving.abort() })
  try {
    return await use(lines, leaving.signal)
  } finally {
    lines.close()
  }
}
