import { CarrelError } from '../../src/model/errors.ts'
import type { Question } from '../../src/model/interaction.ts'
import { carryAnswer } from '../../src/model/interaction.ts'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { eachOf, sayProblems } from '../shell/archive.ts'
import { say } from '../shell/toasts.ts'
import { count } from '../ui/format.ts'
import type { Alike } from './alike.ts'

/** One answer for questions that are the same, with their number in words. Each is answered by itself. */
export function AnswerAll({ alike }: { alike: Alike }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const { sessions } = useWorkspace()
  const [first] = alike
  const all = alike.map((each) => ({ ...each, name: sessions[each.session]?.name ?? 'Session' }))
  const submit = useSubmit(async ({ id: option, label }: Question['options'][number]) => {
    const { done, problems } = await eachOf(all, async (id, { question }) => {
      const answer = carryAnswer({ option }, first.question, question)
      if (!answer) throw new CarrelError('gone', 'It does not offer this answer any more; look at it by itself.')
      await page.call('interactions.answer', { workspace, id, answer })
    })
    if (done.length > 0) say(`${count(done.length, 'question')} answered with “${label}”.`)
    sayProblems('not answered', problems)
  })
  const where = new Set(alike.map(({ session }) => session)).size
  return (
    <section className="answer-all" aria-label={`${alike.length} identical questions`}>
      <p>
        <b>{alike.length} identical questions</b> are open{where > 1 && ` in ${where} sessions`}. One answer for all:
      </p>
      <div className="row wrap">
        {first.question.options.map((option) => (
          <button
            key={option.id}
            type="button"
            className="btn"
            disabled={submit.pending}
            onClick={() => submit.run(option)}
          >
            {option.label}: all {alike.length}
          </button>
        ))}
      </div>
    </section>
  )
}
