import type { Carrel, Input } from '../../api/index.ts'
import { asCarrelError } from '../../model/errors.ts'
import type { Item } from '../../model/items.ts'
import type { RunOutcome, Session } from '../../model/tree.ts'
import type { Cli } from './cli.ts'
import { followSession, type Told } from './following.ts'
import { type Lines, openLines } from './lines.ts'
import { createQuestioner, type Questioner } from './questioner.ts'
import { createTranscript, type Transcript } from './transcript.ts'

/** Why a watch ended before its run: the person, the clock, or the system told this process to end. */
export type Leaving = 'interrupt' | 'timeout' | 'terminated'

/** How watching a prompt came to its end. */
export type WatchEnd =
  | { readonly kind: 'ended'; readonly outcome: RunOutcome }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'deleted'; readonly reason: string }
  | { readonly kind: 'left'; readonly why: Leaving }

export interface Watch {
  readonly session: Session
  readonly prompt: Input<'sessions.prompt'>
  /** null watches to the end. */
  readonly timeoutMs: number | null
}

const ENDS = ['SIGTERM', 'SIGHUP'] as const

interface Progress {
  prompt: string | null
  run: string | null
  left: Leaving | null
}

/**
 * Submits a prompt and shows its run until that ends. The first Ctrl-C cancels the run (or takes the prompt back
 * while it waits), the second leaves.
 */
export async function watchPrompt(cli: Cli, carrel: Carrel, watch: Watch): Promise<WatchEnd> {
  const { workspace, term, world } = cli
  const { session, prompt, timeoutMs } = watch
  const stop = new AbortController()
  const progress: Progress = { prompt: null, run: null, left: null }
  const leave = (why: Leaving): void => {
    progress.left ??= why
    stop.abort()
  }
  const interrupt = interruptWith(
    () => cancel(cli, carrel, session, progress),
    () => leave('interrupt'),
  )
  const terminate = (): void => leave('terminated')
  process.on('SIGINT', interrupt)
  for (const signal of ENDS) process.once(signal, terminate)
  const timer = timeoutMs === null ? null : setTimeout(() => leave('timeout'), timeoutMs)
  let lines: Lines | null = null
  const openOnce = (): Lines => {
    lines ??= openLines(world, { onInterrupt: interrupt })
    return lines
  }
  const questioner = createQuestioner({ cli, carrel, lines: term.interactive ? openOnce : null })
  const transcript = createTranscript({
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
    if (view.run && prompt.busy === 'queue') term.note('A run is on in this session; this one is next in line.')
    for await (const told of followSession(carrel, { workspace, view, items }, stop.signal)) {
      if (told.kind === 'event') await term.write(term.json ? `${told.json}\n` : '')
      const end = take(told, progress, transcript, questioner)
      if (end) return end
    }
    return { kind: 'left', why: progress.left ?? 'interrupt' }
  } finally {
    process.off('SIGINT', interrupt)
    for (const signal of ENDS) process.off(signal, terminate)
    if (timer) clearTimeout(timer)
    transcript.finish()
    questioner.close()
    ;(lines as Lines | null)?.close()
  }
}

/** The first call does one thing, those after it another. */
function interruptWith(first: () => void, then: () => void): () => void {
  let count = 0
  return () => {
    count += 1
    if (count === 1) first()
    else then()
  }
}

/** Follows our prompt through the log: which run has it, what that run does, how it ends. */
function take(told: Told, progress: Progress, transcript: Transcript, questioner: Questioner): WatchEnd | null {
  if (told.kind === 'caught-up') return null
  if (told.kind === 'ended') return { kind: 'deleted', reason: told.reason }
  const { event, items } = told
  const mine = progress.prompt
  if (event.type === 'run.admitted' && event.data.prompt === mine) progress.run = event.data.run
  if (event.type === 'prompt.steered' && event.data.prompt === mine) progress.run = event.data.run
  for (const item of items)
    if (progress.run !== null && item.run === progress.run) showItem(item, transcript, questioner)
  if (event.type === 'prompt.withdrawn' || event.type === 'withdrawal.requested')
    return event.data.prompt === mine ? { kind: 'withdrawn' } : null
  if (event.type === 'session.closed' && progress.run === null) return { kind: 'withdrawn' }
  if (event.type !== 'run.ended' || event.data.run !== progress.run) return null
  return { kind: 'ended', outcome: event.data.outcome }
}

export function showItem(item: Item, transcript: Transcript, questioner: Questioner): void {
  transcript.show(item)
  if (item.kind === 'question') questioner.heed(item)
}

function cancel(cli: Cli, carrel: Carrel, session: Session, { run, prompt }: Progress): void {
  const { workspace, term } = cli
  term.note('\nCancelling. Ctrl-C again stops watching.')
  const at = { workspace, id: session.id }
  const asked = run
    ? carrel.call('sessions.cancel', { ...at, run })
    : prompt
      ? carrel.call('prompts.withdraw', { ...at, prompt })
      : Promise.resolve()
  asked.catch((error) => term.note(asCarrelError(error).message))
}
