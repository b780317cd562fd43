import type { Answer, Interaction } from '../../../model/interaction.ts'
import { jsonObject } from '../arguments.ts'
import { askPerson, chooseOption, howToAnswer, questionLines } from '../asking.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { openLines } from '../lines.ts'
import { badInput } from '../problem.ts'
import { ago, clean, short } from '../terminal.ts'
import { answerWords } from '../transcript.ts'
import { namesOf } from '../whereabouts.ts'

export const addQuestions: AddCommand = (program, act) => {
  program
    .command('inbox')
    .summary('list the questions that wait for a person')
    .description('Lists the questions that agents asked and nobody answered yet, oldest first.')
    .addHelpText('after', '\nExamples:\n  $ carrel inbox\n  $ carrel inbox --json | jq -r .interactions[].id')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { workspace, term } = cli
          const page = await carrel.call('interactions.list', { workspace, state: 'open', limit: 500 })
          const name = term.json ? String : await namesOf(carrel, workspace)
          term.result(page, () => {
            for (const each of page.interactions) show(cli, each, name)
            if (page.interactions.length === 0) term.note('No question waits for you.')
          })
        }),
      ),
    )
  program
    .command('answer')
    .summary('answer a question')
    .description('Answers a question of an agent. The first answer wins, and outlives the agent that asked.')
    .argument('<question>', 'id of the question (see `carrel inbox`)')
    .argument('[option]', 'the option: its number, id or label')
    .option('--decline', 'give no answer')
    .option('--values <json>', 'the values of a form, as a JSON object')
    .addHelpText(
      'after',
      `
Without an option, on a terminal, the question is put to you.

Examples:
  $ carrel answer int_01jc3q0f0g0h0j0k0m0n0p0q0r 1
  $ carrel answer int_01jc3q0f0g0h0j0k0m0n0p0q0r allow_once
  $ carrel answer int_01jc3q0f0g0h0j0k0m0n0p0q0r --values '{"branch": "main"}'`,
    )
    .action(
      act((cli, [id, option], { decline, values }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          const asked = await carrel.call('interactions.get', { workspace, id })
          const answer = await answerFor(cli, asked, { option, decline, values })
          const done = await carrel.call('interactions.answer', { workspace, id, answer })
          term.result(done, () =>
            term.line(`Answered ${short(done.question.title, 120)}: ${answerWords(done.question, done.answer)}.`),
          )
          if (way.how === 'embedded')
            term.note('The answer is kept. No server is running: the agent gets it when one does (`carrel serve`).')
        }),
      ),
    )
}

function show(
  { term }: Cli,
  { id, agent, session, openedAt, question }: Interaction,
  name: (id: string) => string,
): void {
  const { color } = term
  const where = `${agent} in ${short(name(session), 60)}, ${ago(openedAt, term.now())} ago`
  term.line(`${color.bold(id)}  ${color.dim(where)}`)
  term.line(`  ${clean(question.title)}`)
  for (const line of questionLines(question, color)) term.line(line)
  term.line(color.dim(`  ${howToAnswer({ id, question })}`))
  term.line('')
}

interface Said {
  readonly option?: string
  readonly decline?: boolean
  readonly values?: string
}

async function answerFor(cli: Cli, { id, question }: Interaction, said: Said): Promise<Answer> {
  const count = [said.option, said.decline, said.values].filter((each) => each !== undefined).length
  if (count > 1) throw badInput('Give one answer: an option, --decline or --values.')
  if (said.decline) return { declined: true }
  if (said.values !== undefined) return { values: jsonObject(said.values, 'The value of --values') }
  if (said.option !== undefined) return chooseOption(question, said.option)
  const { term, world } = cli
  if (!term.interactive) chooseOption(question, '')
  term.note(clean(question.title))
  for (const line of questionLines(question, term.asideColor)) term.note(line)
  const leaving = new AbortController()
  const lines = openLines(world, { onInterrupt: () => leaving.abort() })
  const answer = await askPerson(lines, question, leaving.signal).finally(() => lines.close())
  if (answer === null) throw badInput(`Nothing was answered. Later: ${howToAnswer({ id, question })}`)
  return answer
}
