import { asCarrelError } from '../../model/errors.ts'
import type { QuestionItem } from '../../model/events/items.ts'
import { createSerial } from '../../primitives/serial.ts'
import { askPerson, howToAnswer, questionLines } from './asking.ts'
import type { OpenCli } from './cli.ts'
import type { LineReader } from './lines.ts'

/** Reaction to a question: leave it to a person, here or elsewhere, refuse it, or give up the run. */
export type OnQuestion = 'wait' | 'deny' | 'fail'

interface QuestionerParts {
  readonly cli: OpenCli
  /** Null without a person at this terminal. */
  readonly lines: (() => LineReader) | null
  readonly onQuestion?: OnQuestion
  /** Called at the first question with `fail`. */
  readonly fail?: (item: QuestionItem) => void
  /** Called after each question, when the terminal is free again. */
  readonly onIdle?: () => void
}

export type Questioner = ReturnType<typeof createQuestioner>

/** Asks an agent's questions at this terminal, one at a time, or shows how to answer them elsewhere. */
export function createQuestioner({ cli, lines, onQuestion = 'wait', fail, onIdle }: QuestionerParts) {
  const asked = new Map<string, { readonly item: QuestionItem; readonly controller: AbortController }>()
  const turns = createSerial()
  const { carrel, term, workspace } = cli
  const explain = (item: QuestionItem): void => {
    const { interaction: id, question } = item
    const answer = howToAnswer({ id, question })
    term.tell({ question: { id, title: question.title, options: question.options, answer } }, () => {
      for (const line of questionLines(question, term.asideColor)) term.note(line)
      if (!lines && onQuestion === 'wait') term.note(`  Answer from any terminal: ${answer}`)
    })
  }
  const ask = async (item: QuestionItem, from: () => LineReader, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return
    explain(item)
    const answer = await askPerson(from(), item.question, signal)
    if (signal.aborted) term.note('  (answered elsewhere)')
    else if (answer === null)
      term.note(`  Answer later: ${howToAnswer({ id: item.interaction, question: item.question })}`)
    else await carrel.call('interactions.answer', { workspace, id: item.interaction, answer })
  }
  const guarded = (work: Promise<void>): Promise<void> => work.catch((error) => term.note(asCarrelError(error).message))
  const refuse = async ({ interaction: id, question }: QuestionItem): Promise<void> => {
    // Imported here: a static import would slow every start of the other commands.
    const { defaultAnswer } = await import('../../model/interaction.ts')
    await carrel.call('interactions.answer', { workspace, id, answer: defaultAnswer(question) })
  }
  /** Reacts to a question without asking anybody here. */
  const react = (item: QuestionItem): void => {
    explain(item)
    if (onQuestion === 'fail') fail?.(item)
    if (onQuestion === 'deny') void guarded(refuse(item))
  }
  return {
    /** Handles the present state of a question: asks an open one, and withdraws one that was answered elsewhere. */
    update(item: QuestionItem): void {
      const known = asked.get(item.interaction)
      if (item.state !== 'open') {
        known?.controller.abort()
        return
      }
      if (known) return
      const controller = new AbortController()
      asked.set(item.interaction, { item, controller })
      if (!lines || onQuestion !== 'wait') return react(item)
      void turns.run(() => guarded(ask(item, lines, controller.signal)).then(onIdle))
    },
    /** Returns the first question that has no answer yet; null for none. */
    open(): QuestionItem | null {
      return [...asked.values()].find(({ controller }) => !controller.signal.aborted)?.item ?? null
    },
    close(): void {
      for (const { controller } of asked.values()) controller.abort()
    },
  }
}
