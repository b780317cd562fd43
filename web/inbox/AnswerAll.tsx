import { CarrelError } from '../../src/model/errors.ts'
import type { Question } from '../../src/model/interaction.ts'
import { carryAnswer } from '../../src/model/interaction.ts'
import { eachOf, sayProblems } from '../data/archive.ts'
import { say } from '../data/toasts.ts'
import { usePage, useSubmit, useWorkspace, useWorkspaceId } from '../data/use-page.ts'
import { texts } from '../texts/texts.ts'
import { Button } from '../ui/Button.tsx'
import type { Alike } from './alike.ts'

/** One answer for several identical questions. A request answers each of them. */
export function AnswerAll({ alike }: { alike: Alike }) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const { sessions } = useWorkspace()
  const [first] = alike
  const all = alike.map((each) => ({ ...each, name: sessions[each.session]?.name ?? texts.ui.session }))
  const submit = useSubmit(async ({ id: option, label }: Question['options'][number]) => {
    const { done, problems } = await eachOf(all, async (id, { question }) => {
      const answer = carryAnswer({ option }, first.question, question)
      if (!answer) throw new CarrelError('gone', texts.inbox.alike.notOffered)
      await page.call('interactions.answer', { workspace, id, answer })
    })
    if (done.length > 0) say(texts.inbox.alike.answered(done.length, label))
    sayProblems(texts.inbox.alike.notAnswered, problems)
  })
  const where = new Set(alike.map(({ session }) => session)).size
  return (
    <section className="answer-all" aria-label={texts.inbox.alike.title(alike.length)}>
      <p>
        <b>{texts.inbox.alike.title(alike.length)}</b> {texts.inbox.alike.open(where)}
      </p>
      <div className="row wrap">
        {first.question.options.map((option) => (
          <Button key={option.id} disabled={submit.pending} onClick={() => submit.run(option)}>
            {texts.inbox.alike.answer(option.label, alike.length)}
          </Button>
        ))}
      </div>
    </section>
  )
}
