import type { Command } from 'commander'
import type { Carrel } from '../../../api/index.ts'
import type { DeletePreview } from '../../../model/tree.ts'
import type { Act, Cli } from '../cli.ts'

/** The nouns of the tree. What they share is declared here once. */
export interface Noun {
  readonly plural: 'workspaces' | 'spaces' | 'projects' | 'sessions'
  readonly word: string
  /** What its delete takes and leaves, for the help. */
  readonly takes: string
}

/** The operations of the tree have the same fields, except that a workspace is its own boundary. */
const at = (noun: Noun, cli: Cli, id: string): { workspace: string; id: string } =>
  noun.plural === 'workspaces'
    ? ({ workspace: id } as { workspace: string; id: string })
    : { workspace: cli.workspace, id }

const verbOf = <V extends 'rename' | 'archive' | 'delete'>(noun: Noun, verb: V): `sessions.${V}` =>
  `${noun.plural}.${verb}` as `sessions.${V}`

/** `rename`, `archive` and `delete` of a noun. */
export function addTreeVerbs(family: Command, act: Act, noun: Noun): void {
  const { word } = noun
  family
    .command('rename')
    .description(`Give a ${word} another name.`)
    .argument('<id>', `id of the ${word}`)
    .argument('<name...>', 'the new name')
    .action(
      act((cli, [id, words]) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const row = await carrel.call(verbOf(noun, 'rename'), { ...at(noun, cli, id), name: words.join(' ') })
          cli.term.result(row, () => cli.term.line(`${row.id} is now named ${row.name}.`))
        }),
      ),
    )
  family
    .command('archive')
    .description(`Hide a ${word} from lists, or bring it back.`)
    .argument('<id>', `id of the ${word}`)
    .option('--undo', 'bring it back')
    .action(
      act((cli, [id], { undo }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const row = await carrel.call(verbOf(noun, 'archive'), { ...at(noun, cli, id), archived: !undo })
          cli.term.result(row, () => cli.term.line(`${row.name} is ${undo ? 'back in the lists' : 'archived'}.`))
        }),
      ),
    )
  family
    .command('delete')
    .description(`Delete a ${word}. ${noun.takes} Without --yes it only says what would go.`)
    .argument('<id>', `id of the ${word}`)
    .option('--yes', 'really delete')
    .addHelpText(
      'after',
      `\nExamples:\n  $ carrel ${noun.plural} delete <id>         says what would go\n  $ carrel ${noun.plural} delete <id> --yes`,
    )
    .action(
      act((cli, [id], { yes }) =>
        cli.withCarrel({ runs: false }, async (carrel) => remove(cli, carrel, noun, id, Boolean(yes))),
      ),
    )
}

async function remove(cli: Cli, carrel: Carrel, noun: Noun, id: string, confirm: boolean): Promise<void> {
  const { term } = cli
  const done = await carrel.call(verbOf(noun, 'delete'), { ...at(noun, cli, id), confirm })
  term.result(done, () => {
    term.line(`${done.deleted ? 'Deleted' : 'This would delete'}: ${contents(done.preview)}.`)
    for (const folder of done.preview.folders) term.line(`  folder ${folder}`)
    if (done.preview.busy.length > 0)
      term.line(`A run is under way in: ${done.preview.busy.join(', ')}. Cancel it first (\`carrel ps\`).`)
    if (!done.deleted) term.note('Nothing was deleted. Say --yes to do it.')
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
