import type { Output } from '../../../src/api/index.ts'
import type { ToolItem } from '../../../src/model/events/items.ts'
import type { PageStore } from '../../data/page-state.ts'
import { asText } from '../../texts/format.ts'
import { diffOf, outputOf } from './tool-details.ts'

const PAGE = 100
/** Longer lines are shown in pieces: a browser takes seconds to lay out one endless line. Characters. */
const LONGEST_LINE = 1_000

/** Reads the whole output of a tool call from the log. An abort takes effect between pages. */
export async function readWhole(
  page: Pick<PageStore, 'call'>,
  { workspace, session, item }: { workspace: string; session: string; item: ToolItem },
  signal: AbortSignal,
): Promise<string> {
  let text = ''
  for (let after = item.n - 1; after < item.seq && !signal.aborted; ) {
    const { events } = await page.call('sessions.events', { workspace, id: session, after, limit: PAGE })
    if (events.length === 0) break
    for (const event of events) text = saidBy(event, item.toolCallId, text) ?? text
    after = events.at(-1)!.seq
  }
  return text
}

interface Said {
  readonly update?: Record<string, unknown>
  readonly appended?: { readonly from: number; readonly at: number; readonly text: string }
}

/** Returns the content of a call after an event, or null. Later content replaces earlier content, or goes on with it. */
function saidBy(event: Output<'sessions.events'>['events'][number], call: string, before: string): string | null {
  const { update, appended } = event.type === 'agent.update' ? ((event.data ?? {}) as Said) : {}
  if (update?.toolCallId !== call) return null
  if (appended) return before.slice(appended.from, appended.at) + appended.text
  const content = Array.isArray(update.content) ? update.content : []
  if (content.length > 0) return content.map(partText).join('\n')
  return update.rawOutput === undefined || update.rawOutput === null ? null : rawText(update.rawOutput)
}

function partText(part: unknown): string {
  const diff = diffOf(part)
  return diff ? `${diff.path}\n${diff.newText}` : (outputOf(part)?.text ?? asText(part))
}

/** Returns the output within raw output, from any of the fields that agents use. */
export function rawText(value: unknown): string {
  const { stdout, stderr, output, formatted_output: formatted } = (value ?? {}) as Record<string, unknown>
  const streams = [formatted ?? output ?? stdout, stderr].filter((each) => typeof each === 'string' && each !== '')
  return streams.join('\n') || asText(value)
}

export function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= LONGEST_LINE) return [line]
    return Array.from({ length: Math.ceil(line.length / LONGEST_LINE) }, (_, at) =>
      line.slice(at * LONGEST_LINE, (at + 1) * LONGEST_LINE),
    )
  })
}
