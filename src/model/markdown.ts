import { KeptPicture } from './browser-sight.ts'
import type { ContentBlock } from './events/events.ts'
import type { Item, QuestionItem, RunItem, ToolItem } from './events/items.ts'
import type { Answer } from './interaction.ts'
import { AFTERWORD_WORDS } from './state-words.ts'
import { faceName, nameOf } from './who-words.ts'

/** Renders an item as Markdown, for the export of a session. */
export function markdownOf(item: Item): string {
  const text = textOf(item)
  return item.afterword ? `*${AFTERWORD_WORDS} \`${item.run}\`:*\n\n${text}` : text
}

function textOf(item: Item): string {
  switch (item.kind) {
    case 'run':
      return runText(item)
    case 'message':
      return item.role === 'agent' ? item.text : quoted(item.text)
    case 'thought':
      return `<details><summary>Thought</summary>\n\n${item.text}\n\n</details>`
    case 'tool':
      return toolText(item)
    case 'plan':
      return item.entries
        .map(({ content, status }) => `- [${status === 'completed' ? 'x' : ' '}] ${content}`)
        .join('\n')
    case 'question':
      return questionText(item)
    case 'files':
      return `*Changed ${item.files.map(({ path }) => `\`${path}\``).join(', ')}*`
    case 'act':
      return `*${nameOf(item.by)}: ${item.what}, ${item.count} files*`
    case 'notice':
      return `*${item.level}: ${item.text}*${KeptPicture.safeParse(item.data).success ? '\n\n[image, in the log]' : ''}`
    case 'raw':
      return `*${item.name}*\n\n${fenced(JSON.stringify(item.update, null, 2), 'json')}`
  }
}

export const titleText = (name: string, agent: string, id: string): string => `# ${name}\n\n*${agent}, session ${id}*`

function runText({ content, by, agent, at, outcome, error }: RunItem): string {
  const who = by === null ? 'Unknown sender' : nameOf(by)
  const end =
    outcome === null || outcome === 'completed'
      ? ''
      : `\n\n*The run ended as ${outcome}.${error ? ` ${error.message}` : ''}*`
  return `## ${who} to ${agent}, ${new Date(at).toISOString()}\n\n${quoted(content.map(blockText).join('\n'))}${end}`
}

function blockText(block: ContentBlock): string {
  if (block.type === 'text') return block.text
  if (block.type === 'resource_link') return `[${block.name}](${block.uri})`
  if (block.type === 'resource') return `[${block.resource.uri}]`
  return `[${block.type}, ${block.mimeType}]`
}

function toolText({ title, toolKind, status, content, rawInput, rawOutput, ruled }: ToolItem): string {
  const parts = content.map(contentText).filter((text) => text !== '')
  const output = parts.length === 0 && typeof rawOutput === 'string' ? [fenced(rawOutput)] : []
  const { command } = (rawInput ?? {}) as { command?: unknown }
  const input = typeof command === 'string' && command !== title ? [fenced(command, 'sh')] : []
  const rule = ruled === null ? [] : [`*${ruled}*`]
  return [`**${title}** (${toolKind}, ${status})`, ...rule, ...input, ...parts, ...output].join('\n\n')
}

function contentText(content: unknown): string {
  const { type, content: inner, path, oldText, newText } = (content ?? {}) as Record<string, unknown>
  if (type === 'diff') return diffText(String(path), oldText, newText)
  const { text, type: kind, mimeType } = (inner ?? {}) as { text?: unknown; type?: unknown; mimeType?: unknown }
  if (kind === 'image') return `[image, ${mimeType}]`
  return typeof text === 'string' && text !== '' ? fenced(text) : ''
}

/** Renders a diff of an agent: all removed lines, then all added lines. */
function diffText(path: string, before: unknown, after: unknown): string {
  const lines = (text: unknown, sign: string) =>
    typeof text === 'string' && text !== ''
      ? text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${sign}${line}`)
      : []
  return fenced([`--- ${path}`, `+++ ${path}`, ...lines(before, '-'), ...lines(after, '+')].join('\n'), 'diff')
}

function questionText({ question, state, answer, answeredBy }: QuestionItem): string {
  const text = answer === null ? state : answerText(question.options, answer)
  const who = answeredBy === null ? '' : `, by ${nameOf(answeredBy)} via ${faceName(answeredBy.face)}`
  const body = question.body === null ? [] : [question.body]
  return [`**Question: ${question.title}**`, ...body, `Answer: ${text}${who}`].join('\n\n')
}

function answerText(options: QuestionItem['question']['options'], answer: Answer): string {
  if ('option' in answer) return options.find(({ id }) => id === answer.option)?.label ?? answer.option
  return 'declined' in answer ? 'declined' : `\`${JSON.stringify(answer.values)}\``
}

const quoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')

/** Wraps a text in a code fence that is longer than any fence inside it. */
function fenced(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`
}
