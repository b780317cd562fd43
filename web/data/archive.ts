import { asCarrelError } from '../../src/model/errors.ts'
import { texts } from '../texts/texts.ts'
import type { TreeNoun } from '../texts/words/nouns.ts'
import type { PageStore } from './page-state.ts'
import { say } from './toasts.ts'

interface Named {
  readonly id: string
  readonly name: string
}

/** Archives things, reports the result and offers to undo it. */
export async function archive(page: PageStore, noun: TreeNoun, things: readonly Named[]): Promise<void> {
  const { done, problems } = await eachOf(things, (id) => put(page, noun, id, true))
  if (done.length > 0) {
    const undo = (): void => void unarchive(page, noun, done)
    say(texts.tree.done.archived(noun, names(done)), { action: { label: texts.tree.done.undo, act: undo } })
  }
  sayProblems(texts.tree.done.notArchived, problems)
}

export async function unarchive(page: PageStore, noun: TreeNoun, things: readonly Named[]): Promise<void> {
  const { done, problems } = await eachOf(things, (id) => put(page, noun, id, false))
  if (done.length > 0) say(texts.tree.done.restored(noun, names(done)))
  sayProblems(texts.tree.done.notRestored, problems)
}

const put = (page: PageStore, noun: TreeNoun, id: string, archived: boolean): Promise<unknown> =>
  page.call(`${noun}s.archive`, { workspace: page.state().workspaceId!, id, archived })

const names = (things: readonly Named[]): string[] => things.map(({ name }) => name)

/** Runs an act on each thing in turn: parallel requests would crowd out others. A failure does not stop the rest. */
export async function eachOf<T extends Named>(
  things: readonly T[],
  act: (id: string, thing: T) => Promise<unknown>,
): Promise<{ done: T[]; problems: string[] }> {
  const done: T[] = []
  const problems: string[] = []
  for (const thing of things) {
    try {
      await act(thing.id, thing)
      done.push(thing)
    } catch (thrown) {
      problems.push(texts.tree.done.problem(thing.name, asCarrelError(thrown).message))
    }
  }
  return { done, problems }
}

export function sayProblems(what: string, problems: readonly string[]): void {
  if (problems.length === 0) return
  say(texts.tree.done.problems(what, problems), { problem: true })
}
