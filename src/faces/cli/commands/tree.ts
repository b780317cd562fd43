import type { DeletePreview } from '../../../model/tree.ts'
import type { CliCommand, OpenCli } from '../cli.ts'

/** A kind of thing in the tree, for the commands that all kinds share. */
export interface TreeLevel {
  readonly plural: 'workspaces' | 'spaces' | 'projects' | 'sessions'
  readonly word: string
  /** Sentence of the help about the effect of `delete`. */
  readonly takes: string
}

/** Returns the address of a thing. A workspace is its own boundary; other things are in the command's workspace. */
const at = (noun: TreeLevel, cli: OpenCli, id: string): { workspace: string; id: string } =>
  noun.plural === 'workspaces'
    ? ({ workspace: id } as { workspace: string; id: string })
    : { workspace: cli.workspace, id }

const operationOf = <V extends 'rename' | 'archive' | 'delete'>(noun: TreeLevel, verb: V): `sessions.${V}` =>
  `${noun.plural}.${verb}` as `sessions.${V}`

export function addTreeVerbs(group: CliCommand, noun: TreeLevel): void {
  const { word, plural } = noun
  group
    .command('rename')
    .description(`Rename a ${word}.`)
    .argument('<id>', `id of the ${word}`)
    .argument('<name...>', 'the new name')
    .withCarrel(async (cli, [id, words]) => {
      const row = await cli.carrel.call(operationOf(noun, 'rename'), { ...at(noun, cli, id), name: words.join(' ') })
      cli.term.result(row, () => cli.term.line(`Renamed ${row.id} to ${row.name}.`))
    })
  group
    .command('archive')
    .description(`Archive a ${word} (hide it from lists), or restore it.`)
    .argument('<id>', `id of the ${word}`)
    .option('--undo', 'restore it')
    .withCarrel(async (cli, [id], { undo }) => {
      const row = await cli.carrel.call(operationOf(noun, 'archive'), { ...at(noun, cli, id), archived: !undo })
      cli.term.result(row, () => cli.term.line(`${undo ? 'Restored' : 'Archived'} ${row.name}.`))
    })
  group
    .command('delete')
    .description(`Delete a ${word}. ${noun.takes} Without --yes, only preview the deletion.`)
    .argument('<id>', `id of the ${word}`)
    .option('--yes', 'delete without asking')
    .addHelpText(
      'after',
      `\nExamples:\n  $ carrel ${plural} delete <id>         preview the deletion\n  $ carrel ${plural} delete <id> --yes`,
    )
    .withCarrel(async (cli, [id], { yes }) => {
      const { carrel, term } = cli
      const done = await carrel.call(operationOf(noun, 'delete'), { ...at(noun, cli, id), confirm: Boolean(yes) })
      term.result(done, () => {
        term.line(`${done.deleted ? 'Deleted' : 'Would delete'}: ${contents(done.preview)}.`)
        for (const folder of done.preview.folders) term.line(`  folder ${folder}`)
        if (done.preview.busy.length > 0)
          term.line(`Active runs in: ${done.preview.busy.join(', ')}. Cancel them first (\`carrel ps\`).`)
        if (!done.deleted) term.note('Nothing was deleted. Use --yes to delete.')
      })
    })
}

function contents({ spaces, projects, sessions, events }: DeletePreview): string {
  const parts = [
    [spaces, 'Space'],
    [projects, 'project'],
    [sessions, 'session'],
    [events, 'event'],
  ] as const
  return parts.flatMap(([n, word]) => (n > 0 ? [`${n} ${word}${n === 1 ? '' : 's'}`] : [])).join(', ') || 'nothing else'
}
