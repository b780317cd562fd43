import type { ContentBlock } from '../../model/events/events.ts'
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
} from '../../model/events/items.ts'
import type { Question } from '../../model/interaction.ts'
import { AFTERWORD_WORDS, RUN_WORDS, stepWord, workTime } from '../../model/state-words.ts'
import { nameOf } from '../../model/who-words.ts'
import { type Colors, clean, short, span } from './terminal.ts'

/** Output of a transcript: messages of the agent (`say`), and everything else (`aside`). Both may be the same. */
interface TranscriptOutput {
  readonly say: (text: string) => void
  readonly aside: (text: string) => void
  readonly color: Colors
  /** Whether to show prompts and unknown updates as well: for reading a log instead of watching one run. */
  readonly whole: boolean
}

const OUTPUT_LINES = 8

type Channel = 'say' | 'aside'

/** Transcript that writes items as append-only text, since a terminal cannot change printed lines. */
export class Transcript {
  readonly #output: TranscriptOutput
  /** The state of each written item: its text, or the key of its last line. */
  readonly #shown = new Map<number, string>()
  #open: { readonly n: number; readonly channel: Channel } | null = null

  constructor(output: TranscriptOutput) {
    this.#output = output
  }

  /** Writes the news of an item; a growing text continues where it stopped. */
  readonly show = (item: Item): void => {
    // An afterword is no part of the answer that a caller reads from the output.
    if (item.kind === 'message' && item.role === 'agent')
      return this.#grow(item, item.afterword ? 'aside' : 'say', (text) => text)
    if (item.kind === 'thought') return this.#grow(item, 'aside', this.#output.color.dim)
    const key = this.#keyOf(item)
    if (this.#shown.get(item.n) === key) return
    this.#shown.set(item.n, key)
    const text = itemWords(item, this.#output)
    if (text === '') return
    this.finish()
    this.#output.aside(`${this.#labelOf(item)}${text}\n`)
  }

  readonly skip = (item: Item): void => void this.#shown.set(item.n, this.#keyOf(item))

  finish(): void {
    if (this.#open) this.#output[this.#open.channel]('\n')
    this.#open = null
  }

  #grow(item: MessageItem | ThoughtItem, channel: Channel, paint: (text: string) => string): void {
    const text = wholeCharacters(item.text)
    const added = text.slice(this.#shown.get(item.n)?.length ?? 0)
    this.#shown.set(item.n, text)
    if (added === '') return
    const open = this.#open
    if (open && (open.channel !== channel || (open.n !== item.n && !item.continues))) this.finish()
    const label = this.#open === null ? this.#labelOf(item) : ''
    if (label !== '') this.#output.aside(label)
    this.#output[channel](paint(clean(added)))
    this.#open = added.endsWith('\n') ? null : { n: item.n, channel }
  }

  #labelOf({ afterword, run }: Item): string {
    return afterword ? this.#output.color.dim(`[${AFTERWORD_WORDS} ${run}] `) : ''
  }

  /** Returns a key that changes when the item needs another line. */
  #keyOf(item: Item): string {
    switch (item.kind) {
      case 'message':
      case 'thought':
        return item.text
      case 'tool':
        return `${item.status}${item.title}`
      case 'plan':
        return JSON.stringify(item.entries)
      case 'files':
        return JSON.stringify([item.counts, item.conflicts])
      case 'question':
        return item.state
      case 'run':
        return item.outcome ?? (this.#output.whole ? 'started' : item.state)
      default:
        return 'shown'
    }
  }
}

/** Leaves out half a character at the end: chunks may cut one, and the other half comes with the next. */
const wholeCharacters = (text: string): string => text.replace(/[\ud800-\udbff]$/, '')

function itemWords(item: Item, output: TranscriptOutput): string {
  const { color, whole } = output
  switch (item.kind) {
    case 'message':
      return color.bold(`> ${clean(item.text)}`)
    case 'thought':
      return ''
    case 'tool':
      return toolWords(item, color)
    case 'plan':
      return planWords(item, color)
    case 'question':
      return questionWords(item, color)
    case 'notice':
      return (item.level === 'info' ? color.dim : color.yellow)(`! ${clean(item.text)}`)
    case 'run':
      return runWords(item, output)
    case 'files':
      return color.dim(filesWords(item))
    case 'act':
      return color.yellow(`! ${actWords(item)}`)
    case 'raw':
      return whole ? color.dim(`(${short(item.name, 60)})`) : ''
  }
}

/** Returns the lines of an ended tool call. A running one shows nothing yet, since printed lines cannot change. */
function toolWords(item: ToolItem, color: Colors): string {
  if (item.endedAt === null && item.status !== 'completed') return ''
  const title = short(item.title, 160)
  const ruled = item.ruled ? color.dim(` (${item.ruled})`) : ''
  const head =
    item.status === 'completed'
      ? `${color.green('✓')} ${title}`
      : `${color.red('✗')} ${title} ${color.red(stepWord(item.status))}`
  return [`${head}${ruled}`, ...outputOf(item, color)].join('\n')
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
  const by = state === 'expired' ? 'no answer in time' : answeredBy ? nameOf(answeredBy) : 'unknown'
  return color.dim(`? ${short(question.title, 120)}: ${label} (${by})`)
}

export function answerWords(question: Question, answer: QuestionItem['answer']): string {
  if (answer === null) return 'no answer'
  if ('declined' in answer) return 'declined'
  if ('values' in answer) return short(JSON.stringify(answer.values), 200)
  return short(question.options.find(({ id }) => id === answer.option)?.label ?? answer.option, 80)
}

function runWords(item: RunItem, { color, whole }: TranscriptOutput): string {
  if (item.outcome === null) {
    if (whole) return color.bold(`> ${textOf(item.content)}`)
    return item.state === 'parked' ? color.dim('Needs you: the run is parked until you answer.') : ''
  }
  const worked = workTime(item)
  const took = worked === null ? '' : ` after ${span(worked)}`
  const paint = item.outcome === 'completed' ? color.green : item.outcome === 'cancelled' ? color.yellow : color.red
  const lines = [paint(`${RUN_WORDS[item.outcome]}${took}`)]
  if (item.error) lines.push(clean(item.error.message))
  if (item.error?.stderr) lines.push(color.dim(clean(item.error.stderr).trimEnd()))
  if (item.error?.next) lines.push(clean(item.error.next))
  if (item.halfDone.length > 0)
    lines.push(
      `Cut off: ${item.halfDone.map(({ title }) => short(title, 80)).join(', ')}. Check what these steps changed.`,
    )
  return lines.join('\n')
}

const firstNames = (paths: readonly string[]): string[] => paths.slice(0, 5).map((path) => short(path, 80))

function filesWords({ counts, files, conflicts }: FilesItem): string {
  const { created, modified, deleted } = counts
  const names = firstNames(files.map(({ path }) => path))
  const more = created + modified + deleted > names.length ? ' …' : ''
  const lines = [`± ${countWords(counts)}${names.length > 0 ? `: ${names.join(', ')}${more}` : ''}`]
  for (const { session, paths } of conflicts) lines.push(`! Conflict with ${session}: ${firstNames(paths).join(', ')}`)
  return lines.join('\n')
}

export function countWords({ created, modified, deleted }: FilesItem['counts']): string {
  const parts = [
    [created, 'new'],
    [modified, 'changed'],
    [deleted, 'deleted'],
  ] as const
  return parts.flatMap(([n, word]) => (n > 0 ? [`${n} ${word}`] : [])).join(', ') || 'no changes'
}

const ACT_WORDS: Readonly<Record<ActItem['what'], string>> = {
  restored: 'restored an earlier snapshot',
  undone: 'undid changes of this session',
  taken: 'overwrote files of this session',
  applied: 'applied changes of this session to the folder of the Space',
}

function actWords({ what, by, count, paths }: ActItem): string {
  return `${nameOf(by)} ${ACT_WORDS[what]} (${count}): ${firstNames(paths).join(', ')}`
}

function textOf(content: readonly ContentBlock[]): string {
  return clean(
    content
      .map((block) => (block.type === 'text' ? block.text : `[${block.type}]`))
      .join(' ')
      .trim(),
  )
}
