import type { Answer, Interaction } from '../../../model/interaction.ts'
import { jsonObject } from '../arguments.ts'
import { askPerson, chooseOption, howToAnswer, questionLines } from '../asking.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { withLines } from '../lines.ts'
import { badInput } from '../problem.ts'
import { ago, clean, short } from '../terminal.ts'
import { answerWords } from '../transcript.ts'
import { namesOf, openQuestions } from '../whereabouts.ts'

export const addQuestions: AddCommand = (program) => {
  program
    .command('inbox')
    .summary('list the questions for you')
    .description('Lists the open questions of agents, oldest first.')
    .addHelpText('after', '\nExamples:\n  $ carrel inbox\n  $ carrel inbox --json | jq -r .interactions[].id')
    .withCarrel(async (cli) => {
      const { term } = cli
      const interactions = await openQuestions(cli)
      const name = term.json ? String : await namesOf(cli)
      term.result({ interactions, cursor: null }, () => {
        for (const each of interactions) show(cli, each, name)
        if (interactions.length === 0) term.note("You're all caught up.")
        if (interactions.length > 1) term.note(`${interactions.length} questions wait for you.`)
      })
    })
  program
    .command('answer')
    .summary('answer a question')
    .description('Answers a question of an agent. The first answer is final, and stays valid when the agent ends.')
    .argument('<question>', 'id of the question (see `carrel inbox`)')
    .argument('[option]', 'number, id or label of the option')
    .option('--decline', 'skip the question')
    .option('--values <json>', 'values of a form, as a JSON object')
    .addHelpText(
      'after',
      `
Without an option, the command asks you at the terminal.

Examples:
  $ carrel answer int_01jc3q0f0g0h0j0k0m0n0p0q0r 1
  $ carrel answer int_01jc3q0f0g0h0j0k0m0n0p0q0r allow_once
  $ carrel answer int_01jc3q0f0g0h0j0k0m0n0p0q0r --values '{"branch": "main"}'`,
    )
    .withCarrel(async (cli, [id, option], { decline, values }) => {
      const { carrel, workspace, term } = cli
      const asked = await carrel.call('interactions.get', { workspace, id })
      const answer = await answerFor(cli, asked, { option, decline, values })
      const done = await carrel.call('interactions.answer', { workspace, id, answer })
      term.result(done, () =>
        term.line(`Answered ${short(done.question.title, 120)}: ${answerWords(done.question, done.answer)}.`),
      )
      if (cli.how === 'embedded')
        term.note('The answer is saved. The agent gets it from the next server (`carrel serve`).')
    })
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

async function answerFor(
  { term, world }: Cli,
  { id, question }: Interaction,
  { option, decline, values }: { option?: string; decline?: boolean; values?: string },
): Promise<Answer> {
  const count = [option, decline, values].filter((each) => each !== undefined).length
  if (count > 1) throw badInput('Give one answer: an option, --decline or --values.')
  if (decline) return { declined: true }
  if (values !== undefined) return { values: jsonObject(values, 'The value of --values') }
  if (option !== undefined) return chooseOption(question, option)
  if (!term.interactive) chooseOption(question, '')
  term.note(clean(question.title))
  for (const line of questionLines(question, term.asideColor)) term.note(line)
  const answer = await withLines(world, (lines, signal) => askPerson(lines, question, signal))
  if (answer === null) throw badInput(`No answer was given. Answer later: ${howToAnswer({ id, question })}`)
  return answer
}
