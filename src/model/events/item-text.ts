import type { Item, ToolItem } from './items.ts'

/** Searchable characters of one item; a longer text is cut in the middle. Long messages are split before this limit. */
export const SEARCHED_CHARS = 32_768
/** Searchable characters of a tool's output: the beginning and the end, where most of its meaning is. */
export const SEARCHED_OUTPUT_CHARS = 16_384

/**
 * Returns the searchable text of an item, one part a line, in display order, without identifiers, states and contents
 * of files.
 */
export const itemText = (item: Item): string => cut(partsOf(item).filter(Boolean).join('\n'), SEARCHED_CHARS)

function partsOf(item: Item): string[] {
  switch (item.kind) {
    case 'run':
      return [...item.content.map(textOfBlock), item.error?.message ?? '']
    case 'message':
      return [item.text, ...item.blocks.map(textOfBlock)]
    case 'thought':
    case 'notice':
      return [item.text]
    case 'tool':
      return partsOfTool(item)
    case 'plan':
      return item.entries.map(({ content }) => content)
    case 'question':
      return [item.question.title, item.question.body ?? '', item.question.command ?? '', ...item.question.paths]
    case 'files':
      return item.files.map(({ path }) => path)
    case 'act':
      return [...item.paths]
    case 'raw':
      return []
  }
}

/** Returns the text of a block, or the name of an attachment; an attached text counts as part of the prompt. */
function textOfBlock(block: unknown): string {
  const { type, text, name, uri, resource } = fieldsOf(block)
  if (type === 'text') return stringOf(text)
  if (type === 'resource_link') return stringOf(name) || stringOf(uri)
  if (type !== 'resource') return ''
  const attached = fieldsOf(resource)
  return [attached.uri, attached.text].map(stringOf).filter(Boolean).join('\n')
}

function partsOfTool({ title, rawInput, locations, content, rawOutput }: ToolItem): string[] {
  const texts = content.map(textOfOutput).filter(Boolean)
  const output = texts.length > 0 ? texts : textsIn(rawOutput)
  const paths = [...locations.map(({ path }) => path), ...content.map(pathOf)]
  return [title, commandOf(rawInput), ...new Set(paths), cut(output.join('\n'), SEARCHED_OUTPUT_CHARS)]
}

/** Returns the command of a raw input; agents send a text or a list of arguments. */
function commandOf(rawInput: unknown): string {
  const { command, cmd } = fieldsOf(rawInput)
  const found = command ?? cmd
  return Array.isArray(found) ? found.map(stringOf).join(' ') : stringOf(found)
}

function textOfOutput(part: unknown): string {
  const { type, content } = fieldsOf(part)
  return type === 'content' ? textOfBlock(content) : ''
}

function pathOf(part: unknown): string {
  const { type, path } = fieldsOf(part)
  return type === 'diff' ? stringOf(path) : ''
}

/** Returns the longer texts of a raw output in any agent's own shape; single words are states and numbers. */
function textsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return depth === 0 || /\s/.test(value) ? [value] : []
  if (value === null || typeof value !== 'object' || depth > 4) return []
  return Object.values(value).flatMap((part) => textsIn(part, depth + 1))
}

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const fieldsOf = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}

/** Cuts the middle out. The mark at the cut is not a word, so that a phrase never matches across it. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const head = Math.floor((max * 3) / 4)
  return `${text.slice(0, head)}\n[...]\n${text.slice(text.length - (max - head))}`
}
