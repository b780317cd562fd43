import { asCarrelError } from '../../model/errors.ts'
import type { QuestionItem } from '../../model/events/items.ts'
import { createSerial } from '../../primitives/serial.ts'
import { askPerson, howToAnswer, questionLines } from './asking.ts'
import type { OpenCli } from './cli.ts'
import type { LineReader } from './lines.ts'

interface QuestionerParts {
  readonly cli: OpenCli
  /** Null without a person at this terminal. */
  readonly lines: (() => LineReader) | null
  /** Called after each question, when the terminal is free again. */
  readonly onIdle?: () => void
}

export type Questioner = ReturnType<typeof createQuestioner>

/** Asks an agent's questions at this terminal, one at a time, or shows how to answer them elsewhere. */
export function createQuestioner({ cli, lines, onIdle }: QuestionerParts) {
  const asked = new Map<string, AbortController>()
  const turns = createSerial()
  const { carrel, term, workspace } = cli
  const explain = (item: QuestionItem): void => {
    for (const line of questionLines(item.question, term.asideColor)) term.note(line)
    if (!lines)
      term.note(`  Answer from any terminal: ${howToAnswer({ id: item.interaction, question: item.question })}`)
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
  return {
    /** Handles the present state of a question: asks an open one, and withdraws one that was answered elsewhere. */
    update(item: QuestionItem): void {
      const known = asked.get(item.interaction)
      if (item.state !== 'open') return known?.abort()
      if (known) return
      const controller = new AbortController()
      asked.set(item.interaction, controller)
      if (!lines) return explain(item)
      void turns.run(async () => {
        await ask(item, lines, controller.signal).catch((error) => term.note(asCarrelError(error).message))
        onIdle?.()
      })
    },
    close(): void {
      for (const controller of asked.values()) controller.abort()
    },
  }
}
