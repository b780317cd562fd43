import type { Input } from '../../api/index.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { Item } from '../../model/events/items.ts'
import { waitsText } from '../../model/machine.ts'
import type { RunOutcome, Session } from '../../model/tree.ts'
import type { OpenCli } from './cli.ts'
import { type FollowedChange, followSession } from './following.ts'
import { type LineReader, openLines } from './lines.ts'
import { createQuestioner, type Questioner } from './questioner.ts'
import { Transcript } from './transcript.ts'

/** Reason why a watch ended before its run: Ctrl-C, the timeout, or a termination signal. */
type Leaving = 'interrupt' | 'timeout' | 'terminated'

export type WatchEnd =
  | { readonly kind: 'ended'; readonly outcome: RunOutcome }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'deleted'; readonly reason: string }
  | { readonly kind: 'left'; readonly why: Leaving }

export interface PromptWatch {
  readonly session: Session
  readonly prompt: Input<'sessions.prompt'>
  /** null for no timeout. */
  readonly timeoutMs: number | null
}

const ENDS = ['SIGTERM', 'SIGHUP'] as const

interface Progress {
  prompt: string | null
  run: string | null
  left: Leaving | null
}

/**
 * Submits a prompt and shows its run until it ends. The first Ctrl-C cancels the run, or removes the queued prompt; the
 * second stops watching.
 */
export async function watchPrompt(cli: OpenCli, watch: PromptWatch): Promise<WatchEnd> {
  const { carrel, workspace, term, world } = cli
  const { session, prompt, timeoutMs } = watch
  const stop = new AbortController()
  const progress: Progress = { prompt: null, run: null, left: null }
  const leave = (why: Leaving): void => {
    progress.left ??= why
    stop.abort()
  }
  const interrupt = interruptWith(
    () => cancel(cli, session, progress),
    () => leave('interrupt'),
  )
  const terminate = (): void => leave('terminated')
  process.on('SIGINT', interrupt)
  for (const signal of ENDS) process.once(signal, terminate)
  const timer = timeoutMs === null ? null : setTimeout(() => leave('timeout'), timeoutMs)
  let lines: LineReader | null = null
  const openOnce = (): LineReader => {
    lines ??= openLines(world, { onInterrupt: interrupt })
    return lines
  }
  const questioner = createQuestioner({ cli, lines: term.interactive ? openOnce : null })
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
    if (accepted.waits) term.note(waitsText(accepted.waits, session.space))
    if (view.run && prompt.busy === 'queue') term.note('Another run is active in this session. Your prompt is queued.')
    for await (const change of followSession(carrel, { workspace, view, items }, stop.signal)) {
      if (change.kind === 'event') await term.write(term.json ? `${change.json}\n` : '')
      const end = take(change, progress, transcript, questioner)
      if (end) return end
    }
    return { kind: 'left', why: progress.left ?? 'interrupt' }
  } finally {
    process.off('SIGINT', interrupt)
    for (const signal of ENDS) process.off(signal, terminate)
    if (timer) clearTimeout(timer)
    transcript.finish()
    questioner.close()
    ;(lines as LineReader | null)?.close()
  }
}

function interruptWith(first: () => void, then: () => void): () => void {
  let count = 0
  return () => {
    count += 1
    if (count === 1) first()
    else then()
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
  for (const item of items)
    if ((progress.run !== null && item.run === progress.run) || item.afterword) showItem(item, transcript, questioner)
  if (event.type === 'prompt.withdrawn' || event.type === 'withdrawal.requested')
    return event.data.prompt === mine ? { kind: 'withdrawn' } : null
  if (event.type === 'session.closed' && progress.run === null) return { kind: 'withdrawn' }
  if (event.type !== 'run.ended' || event.data.run !== progress.run) return null
  return { kind: 'ended', outcome: event.data.outcome }
}

export function showItem(item: Item, transcript: Transcript, questioner: Questioner): void {
  transcript.show(item)
  if (item.kind === 'question') questioner.update(item)
}

function cancel(cli: OpenCli, session: Session, { run, prompt }: Progress): void {
  const { carrel, workspace, term } = cli
  term.note('\nCancelling. Press Ctrl-C again to stop watching.')
  const at = { workspace, id: session.id }
  const asked = run
    ? carrel.call('sessions.cancel', { ...at, run })
    : prompt
      ? carrel.call('prompts.withdraw', { ...at, prompt })
      : Promise.resolve()
  asked.catch((error) => term.note(asCarrelError(error).message))
}
