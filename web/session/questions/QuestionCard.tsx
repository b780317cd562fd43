import { lazy, Suspense } from 'react'
import type { Answer, Question } from '../../../src/model/interaction.ts'
import { usePage, useSubmit, useWorkspaceId } from '../../data/use-page.ts'
import { age } from '../../texts/format.ts'
import { texts } from '../../texts/texts.ts'
import { Button } from '../../ui/Button.tsx'
import { Markdown } from '../../ui/Markdown.tsx'
import { Problem } from '../../ui/Problem.tsx'
import { StateDot } from '../../ui/StateDot.tsx'
import { useNow } from '../../ui/use-now.ts'
import { useSession } from '../session-context.ts'
import { ToolContent } from '../transcript/ToolContent.tsx'
import { commandOf, hasDiff, shortPath, type ToolLike } from '../transcript/tool-details.ts'
import { QuestionForm } from './QuestionForm.tsx'
import './question.css'

const RuleOffers = lazy(() => import('./RuleOffers.tsx').then((file) => ({ default: file.RuleOffers })))

interface Props {
  readonly interaction: string
  readonly question: Question
  readonly expiresAt: number | null
}

/** A question of an agent, until the stream delivers an answer from any client. */
export function QuestionCard({ interaction, question, expiresAt }: Props) {
  const page = usePage()
  const workspace = useWorkspaceId()
  const submit = useSubmit((answer: Answer) => page.call('interactions.answer', { workspace, id: interaction, answer }))
  const options = question.kind === 'form' ? [] : question.options
  return (
    <section className="question" aria-label={question.title}>
      <header className="question-head">
        <StateDot state="waiting" label={false} />
        <h2 dir="auto">{question.title}</h2>
        <Expiry at={expiresAt} />
      </header>
      {question.body && <Markdown text={question.body} />}
      <About interaction={interaction} question={question} />
      {question.kind === 'form' ? (
        <QuestionForm
          interaction={interaction}
          schema={question.schema}
          pending={submit.pending}
          onAnswer={submit.run}
        />
      ) : (
        <div className="options">
          {options.map(({ id, label, kind }, at) => (
            <Button
              key={id}
              label={label}
              className={kind === 'allow_once' ? 'primary' : ''}
              data-answer={`${interaction}:${at + 1}`}
              disabled={submit.pending}
              onClick={() => submit.run({ option: id })}
            >
              {at < 9 && <kbd aria-hidden>{at + 1}</kbd>}
            </Button>
          ))}
          {options.length === 0 && (
            <Button disabled={submit.pending} onClick={() => submit.run({ declined: true })}>
              {texts.question.noAnswer}
            </Button>
          )}
          <Suspense>
            <RuleOffers interaction={interaction} question={question} />
          </Suspense>
        </div>
      )}
      <Problem error={submit.problem} />
    </section>
  )
}

function About({ interaction, question }: { interaction: string; question: Question }) {
  const { root } = useSession()
  const tool = (question.toolCall ?? {}) as ToolLike
  const command = question.command ?? commandOf(tool)
  const diff = hasDiff(tool)
  if (command)
    return (
      <pre className="output command-line scroll" dir="ltr">
        {command}
      </pre>
    )
  if (diff || (tool.content ?? []).length > 0) {
    return <ToolContent id={`question.${interaction}`} tool={tool} input={!diff} />
  }
  if (question.paths.length > 0)
    return <pre className="output scroll">{question.paths.map((path) => shortPath(path, root)).join('\n')}</pre>
  if (tool.rawInput) return <ToolContent id={`question.${interaction}`} tool={tool} />
  return null
}

function Expiry({ at }: { at: number | null }) {
  const now = useNow(30_000, at !== null)
  if (at === null || at - now > 86_400_000) return null
  return <span className="faint">{at > now ? texts.question.refusedIn(age(at - now)) : texts.question.runsOut}</span>
}
