import type { Input } from '../../api/index.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { Item, QuestionItem, RunItem } from '../../model/events/items.ts'
import { waitsText } from '../../model/machine.ts'
import type { RunOutcome, Session } from '../../model/tree.ts'
import type { OpenCli } from './cli.ts'
import { type FollowedChange, followSession } from './following.ts'
import { type Leaving, openLeaving } from './leaving.ts'
import { type LineReader, openLines } from './lines.ts'
import { createQuestioner, type OnQuestion, type Questioner } from './questioner.ts'
import { Transcript } from './transcript.ts'

export type WatchEnd =
  | { readonly kind: 'ended'; readonly outcome: RunOutcome; readonly problem: RunItem['error'] }
  /** The run was cancelled because of its question. */
  | { readonly kind: 'given-up'; readonly question: QuestionItem }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'deleted'; readonly reason: string }
  /** `question`: the question that the run waits for; null for none. */
  | { readonly kind: 'left'; readonly why: Leaving; readonly question: QuestionItem | null }

export interface PromptWatch {
  readonly session: Session
  readonly prompt: Input<'sessions.prompt'>
  /** null for no timeout. */
  readonly timeoutMs: number | null
  readonly onQuestion: OnQuestion
}

interface Progress {
  readonly onQuestion: OnQuestion
  prompt: string | null
  run: string | null
  problem: RunItem['error']
  /** Whether to cancel the prompt, or its run. */
  cancelled: boolean
  /** The question for which the run was given up. */
  gaveUp: QuestionItem | null
}

/**
 * Submits a prompt and shows its run until it ends. The first Ctrl-C cancels the run, or removes the queued prompt; the
 * second stops watching.
 */
export async function watchPrompt(cli: OpenCli, watch: PromptWatch): Promise<WatchEnd> {
  const { carrel, workspace, term, world } = cli
  const { session, prompt, timeoutMs, onQuestion } = watch
  const progress: Progress = { onQuestion, prompt: null, run: null, problem: null, cancelled: false, gaveUp: null }
  const onInterrupt = (): void => {
    term.note('\nCancelling. Press Ctrl-C again to stop watching.')
    cancel(cli, session, progress)
  }
  const leaving = openLeaving(world, { timeoutMs, onInterrupt })
  let lines: LineReader | null = null
  const openOnce = (): LineReader => {
    lines ??= openLines(world, { onInterrupt: leaving.interrupt })
    return lines
  }
  const fail = (item: QuestionItem): void => {
    progress.gaveUp ??= item
    cancel(cli, session, progress)
  }
  const questioner = createQuestioner({ cli, lines: term.interactive ? openOnce : null, onQuestion, fail })
  const transcript = new Transcript({
    say: (text) => void (term.json || term.write(text)),
    aside: term.aside,
    color: term.asideColor,
    whole: false,
  })
  try {
    const { view, items } = await carrel.call('sessions.view', { workspace, id: session.id, limit: 200 })
    for (const item of items) transcript.skip(item)
    const accepted = await carrel.call('sessions.prompt', { ...prompt, wait: 'accepted' })
    progress.prompt = accepted.prompt
    if (progress.cancelled) cancel(cli, session, progress)
    if (accepted.waits) term.note(waitsText(accepted.waits, session.space))
    if (view.run && prompt.busy === 'queue') term.note('Another run is active in this session. Your prompt is queued.')
    for await (const change of followSession(carrel, { workspace, view, items }, leaving.signal)) {
      if (change.kind === 'event') await term.write(term.json ? `${change.json}\n` : '')
      const starting = progress.run === null
      const end = take(change, progress, transcript, questioner)
      if (end) return end
      // A prompt that became a run cannot be withdrawn any more.
      if (starting && progress.run !== null && progress.cancelled) cancel(cli, session, progress)
    }
    return { kind: 'left', why: leaving.why() ?? 'interrupted', question: questioner.open() }
  } finally {
    leaving.stop()
    transcript.finish()
    questioner.close()
    ;(lines as LineReader | null)?.close()
  }
}

/** Tracks the prompt through the log: finds its run, shows the run's items, and returns its end. */
function take(
  change: FollowedChange,
  progress: Progress,
  transcript: Transcript,
  questioner: Questioner,
): WatchEnd | null {
  if (change.kind === 'caught-up') return null
  if (change.kind === 'ended') return { kind: 'deleted', reason: change.reason }
  const { event, items } = change
  const mine = progress.prompt
  if (event.type === 'run.admitted' && event.data.prompt === mine) progress.run = event.data.run
  if (event.type === 'prompt.steered' && event.data.prompt === mine) progress.run = event.data.run
  for (const item of items) {
    const own = progress.run !== null && item.run === progress.run
    if (own && item.kind === 'run') progress.problem = item.error
    // A question of work that goes on from an earlier run is not refused in its place.
    if (own || (item.afterword && progress.onQuestion === 'wait')) showItem(item, transcript, questioner)
    else if (item.afterword) transcript.show(item)
  }
  if (event.type === 'prompt.withdrawn' || event.type === 'withdrawal.requested')
    return event.data.prompt === mine ? { kind: 'withdrawn' } : null
  if (event.type === 'session.closed' && progress.run === null) return { kind: 'withdrawn' }
  if (event.type !== 'run.ended' || event.data.run !== progress.run) return null
  const { outcome } = event.data
  if (progress.gaveUp && outcome === 'cancelled') return { kind: 'given-up', question: progress.gaveUp }
  return { kind: 'ended', outcome, problem: progress.problem }
}

export function showItem(item: Item, transcript: Transcript, questioner: Questioner): void {
  transcript.show(item)
  if (item.kind === 'question') questioner.update(item)
}

function cancel(cli: OpenCli, session: Session, progress: Progress): void {
  const { carrel, workspace, term } = cli
  const { run, prompt } = progress
  progress.cancelled = true
  const at = { workspace, id: session.id }
  const asked = run
    ? carrel.call('sessions.cancel', { ...at, run })
    : prompt
      ? carrel.call('prompts.withdraw', { ...at, prompt })
      : Promise.resolve()
  asked.catch((error) => term.note(asCarrelError(error).message))
}
