import type { Output } from '../../src/api/index.ts'
import type { ToolItem } from '../../src/model/items.ts'
import type { Page } from '../data/page-store.ts'
import { asText } from '../ui/format.ts'
import { diffOf, outputOf } from './tool-words.ts'

const PAGE = 100
/** A line longer than this is shown in pieces: a browser lays out one endless line for seconds. Characters. */
const LONGEST_LINE = 1_000

/** All that a tool call said, from the log: what its item left out is there in full. Aborts between pages. */
export async function readWhole(
  page: Pick<Page, 'call'>,
  { workspace, session, item }: { workspace: string; session: string; item: ToolItem },
  signal: AbortSignal,
): Promise<string> {
  let text = ''
  for (let after = item.n - 1; after < item.seq && !signal.aborted; ) {
    const { events } = await page.call('sessions.events', { workspace, id: session, after, limit: PAGE })
    if (events.length === 0) break
    for (const event of events) text = saidBy(event, item.toolCallId) ?? text
    after = events.at(-1)!.seq
  }
  return text
}

/** Later content replaces earlier, as ACP has it. Null for an event that says none for this call. */
function saidBy(event: Output<'sessions.events'>['events'][number], call: string): string | null {
  const data = event.data as { update?: Record<string, unknown> } | undefined
  const update = event.type === 'agent.update' ? data?.update : undefined
  if (update?.toolCallId !== call) return null
  const content = Array.isArray(update.content) ? update.content : []
  if (content.length > 0) return content.map(partText).join('\n')
  return update.rawOutput === undefined || update.rawOutput === null ? null : rawText(update.rawOutput)
}

function partText(part: unknown): string {
  const diff = diffOf(part)
  return diff ? `${diff.path}\n${diff.newText}` : (outputOf(part)?.text ?? asText(part))
}

/** The output inside of what an agent gives as its raw output, by the names agents use. */
export function rawText(value: unknown): string {
  const { stdout, stderr, output, formatted_output: formatted } = (value ?? {}) as Record<string, unknown>
  const said = [formatted ?? output ?? stdout, stderr].filter((each) => typeof each === 'string' && each !== '')
  return said.join('\n') || asText(value)
}

export function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= LONGEST_LINE) return [line]
    return Array.from({ length: Math.ceil(line.length / LONGEST_LINE) }, (_, at) =>
      line.slice(at * LONGEST_LINE, (at + 1) * LONGEST_LINE),
    )
  })
}
