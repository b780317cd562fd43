import type { ContentBlock } from '../../model/events.ts'
import type { Question } from '../../model/interaction.ts'
import type {
  ActItem,
  FilesItem,
  Item,
  MessageItem,
  PlanItem,
  QuestionItem,
  RunItem,
  ThoughtItem,
  ToolItem,
} from '../../model/items.ts'
import { type Colors, clean, short, span } from './terminal.ts'

/** Where a transcript is written: what the agent says, and everything beside it. Both may be the same. */
export interface Paper {
  readonly say: (text: string) => void
  readonly aside: (text: string) => void
  readonly color: Colors
  /** Also prompts and folded things are shown: for reading a log rather than watching one run. */
  readonly whole: boolean
}

export interface Transcript {
  /** Writes what is new about an item; a text that grew goes on where it stopped. */
  show(item: Item): void
  /** Takes an item as already written. */
  skip(item: Item): void
  /** Ends a line that is open. */
  finish(): void
}

/** How many lines of a tool's output are shown. */
const OUTPUT_LINES = 8

/** Turns items into running text that is only ever added to, since a terminal keeps what was said. */
export function createTranscript(paper: Paper): Transcript {
  const shown = new Map<number, string>()
  let open: { n: number; channel: 'say' | 'aside' } | null = null
  const finish = (): void => {
    if (open) paper[open.channel]('\n')
    open = null
  }
  const line = (text: string): void => {
    finish()
    paper.aside(`${text}\n`)
  }
  const grow = (item: MessageItem | ThoughtItem, channel: 'say' | 'aside', paint: (text: string) => string): void => {
    const before = shown.get(item.n)?.length ?? 0
    const added = item.text.slice(before)
    shown.set(item.n, item.text)
    if (added === '') return
    if (open && (open.channel !== channel || (open.n !== item.n && !item.continues))) finish()
    paper[channel](paint(clean(added)))
    open = added.endsWith('\n') ? null : { n: item.n, channel }
  }
  const { color } = paper
  const once = (item: Item, key: string, text: () => string): void => {
    if (shown.get(item.n) === key) return
    shown.set(item.n, key)
    const words = text()
    if (words) line(words)
  }
  const show = (item: Item): void => {
    switch (item.kind) {
      case 'message':
        if (item.role === 'agent') return grow(item, 'say', (text) => text)
        return once(item, 'said', () => color.bold(`> ${clean(item.text)}`))
      case 'thought':
        return grow(item, 'aside', (text) => color.dim(text))
      case 'tool':
        return once(item, `${item.status}${item.title}`, () => toolWords(item, color, shown.has(item.n)))
      case 'plan':
        return once(item, JSON.stringify(item.entries), () => planWords(item, color))
      case 'question':
        return once(item, item.state, () => questionWords(item, color))
      case 'notice':
        return once(item, 'said', () => (item.level === 'info' ? color.dim : color.yellow)(`! ${clean(item.text)}`))
      case 'run':
        return once(item, item.outcome ?? (paper.whole ? 'begun' : item.state), () => runWords(item, paper))
      case 'files':
        return once(item, JSON.stringify([item.counts, item.conflicts]), () => color.dim(filesWords(item)))
      case 'act':
        return once(item, 'said', () => color.yellow(`! ${actWords(item)}`))
      case 'raw':
        return paper.whole ? once(item, 'said', () => color.dim(`(${short(item.name, 60)})`)) : undefined
    }
  }
  const skip = (item: Item): void => {
    if (item.kind === 'message' || item.kind === 'thought') shown.set(item.n, item.text)
    else if (item.kind === 'tool') shown.set(item.n, `${item.status}${item.title}`)
    else if (item.kind === 'plan') shown.set(item.n, JSON.stringify(item.entries))
    else if (item.kind === 'files') shown.set(item.n, JSON.stringify([item.counts, item.conflicts]))
    else if (item.kind === 'question') shown.set(item.n, item.state)
    else if (item.kind === 'run') shown.set(item.n, item.outcome ?? (paper.whole ? 'begun' : item.state))
    else shown.set(item.n, 'said')
  }
  return { show, skip, finish }
}

function toolWords(item: ToolItem, color: Colors, again: boolean): string {
  const title = short(item.title, 160)
  const ruled = item.ruled ? color.dim(` (${item.ruled})`) : ''
  if (item.status === 'completed') return [`${color.green('✓')} ${title}${ruled}`, ...outputOf(item, color)].join('\n')
  if (item.endedAt !== null)
    return [`${color.red('✗')} ${title} ${color.red(item.status)}${ruled}`, ...outputOf(item, color)].join('\n')
  // A title that changes while it runs is worth no second line; the last line has it.
  return again ? '' : `${color.cyan('…')} ${title}`
}

function outputOf(item: ToolItem, color: Colors): string[] {
  const parts = item.content as { type?: string; path?: unknown; content?: { type?: string; text?: unknown } }[]
  return parts.flatMap((part) => {
    if (part?.type === 'diff') return [color.dim(`    changed ${short(String(part.path ?? ''), 160)}`)]
    const text = part?.type === 'content' && typeof part.content?.text === 'string' ? part.content.text.trim() : ''
    if (text === '') return []
    const lines = clean(text).split('\n')
    const head = lines.slice(0, OUTPUT_LINES).map((each) => color.dim(`    ${each}`))
    return lines.length > OUTPUT_LINES ? [...head, color.dim(`    … ${lines.length - OUTPUT_LINES} more lines`)] : head
  })
}

const MARKS: Readonly<Record<string, string>> = { completed: '☑', in_progress: '▶' }

function planWords(item: PlanItem, color: Colors): string {
  const rows = item.entries.map(({ content, status }) => `  ${MARKS[status] ?? '☐'} ${short(content, 160)}`)
  return [color.dim('Plan'), ...rows].join('\n')
}

function questionWords(item: QuestionItem, color: Colors): string {
  const { state, answer, question, answeredBy } = item
  if (state === 'open') return `${color.yellow('?')} ${short(question.title, 300)}`
  if (state === 'withdrawn') return color.dim(`? ${short(question.title, 120)}: withdrawn`)
  const label = answerWords(question, answer)
  const by = state === 'expired' ? 'nobody answered in time' : (answeredBy?.name ?? 'somebody')
  return color.dim(`? ${short(question.title, 120)}: ${label} (${by})`)
}

/** An answer in the words of its question. */
export function answerWords(question: Question, answer: QuestionItem['answer']): string {
  if (answer === null) return 'no answer'
  if ('declined' in answer) return 'declined'
  if ('values' in answer) return short(JSON.stringify(answer.values), 200)
  return short(question.options.find(({ id }) => id === answer.option)?.label ?? answer.option, 80)
}

function runWords(item: RunItem, { color, whole }: Paper): string {
  if (item.outcome === null) {
    if (whole) return color.bold(`> ${textOf(item.content)}`)
    return item.state === 'parked' ? color.dim('Waits for an answer; the agent was let go meanwhile.') : ''
  }
  const took = item.endedAt === null ? '' : ` after ${span(item.endedAt - (item.startedAt ?? item.at))}`
  const paint = item.outcome === 'completed' ? color.green : item.outcome === 'cancelled' ? color.yellow : color.red
  const lines = [paint(`${item.outcome.replace('_', ' ')}${took}`)]
  if (item.error) lines.push(clean(item.error.message))
  if (item.error?.stderr) lines.push(color.dim(clean(item.error.stderr).trimEnd()))
  if (item.error?.next) lines.push(clean(item.error.next))
  if (item.halfDone.length > 0)
    lines.push(`Cut in the middle of: ${item.halfDone.map(({ title }) => short(title, 80)).join(', ')}. Look at these.`)
  return lines.join('\n')
}

const NAMES_SHOWN = 5

function filesWords({ counts, files, conflicts }: FilesItem): string {
  const { created, modified, deleted } = counts
  const names = files.slice(0, NAMES_SHOWN).map(({ path }) => short(path, 80))
  const more = created + modified + deleted > names.length ? ' …' : ''
  const lines = [`± ${countWords(counts)}${names.length > 0 ? `: ${names.join(', ')}${more}` : ''}`]
  for (const { session, paths } of conflicts)
    lines.push(
      `! ${session} changes the same: ${paths
        .slice(0, NAMES_SHOWN)
        .map((path) => short(path, 80))
        .join(', ')}`,
    )
  return lines.join('\n')
}

/** How many files came, changed and went, in words. */
export function countWords({ created, modified, deleted }: FilesItem['counts']): string {
  const parts = [
    [created, 'new'],
    [modified, 'changed'],
    [deleted, 'deleted'],
  ] as const
  return parts.flatMap(([n, word]) => (n > 0 ? [`${n} ${word}`] : [])).join(', ') || 'nothing changed'
}

const ACT_WORDS: Readonly<Record<ActItem['what'], string>> = {
  restored: 'went back to an earlier snapshot',
  undone: 'took back what was done here',
  taken: 'overwrote files that this session had written',
  applied: 'brought what was done here to the folder of the Space',
}

function actWords({ what, by, count, paths }: ActItem): string {
  const names = paths
    .slice(0, NAMES_SHOWN)
    .map((path) => short(path, 80))
    .join(', ')
  return `${by.name} ${ACT_WORDS[what]} (${count}): ${names}`
}

/** The words of a prompt; blocks that are no text in brackets. */
export function textOf(content: readonly ContentBlock[]): string {
  return clean(
    content
      .map((block) => (block.type === 'text' ? block.text : `[${block.type}]`))
      .join(' ')
      .trim(),
  )
}
