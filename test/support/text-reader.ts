import { Visitor } from 'vite'

type Program = Parameters<Visitor['visit']>[0]
/** A node of the syntax tree, with the fields that this module reads. */
interface Node {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

/** Text for people, written at the place of its use. */
export interface WrittenText {
  readonly text: string
  readonly start: number
}

/** Attributes and fields that hold text for people, by the names of this house. */
const TEXT_NAMES = new Set([
  'alt',
  'aria-description',
  'aria-label',
  'aria-roledescription',
  'aria-valuetext',
  'empty',
  'heading',
  'label',
  'note',
  'placeholder',
  'problem',
  'text',
  'title',
  'what',
  'where',
])
/** Functions that show their first argument to a person. */
const SAYERS = new Set(['say', 'attempt', 'sayProblems'])
/** Elements whose text is no language: the label of a key is the same in every one. */
const SIGNS = new Set(['kbd'])

const LETTER = /\p{L}/u

/**
 * Reads the texts that stand in a source: between tags, in attributes and fields that hold texts, and in arguments of
 * functions that show text. Follows choices (`a ? 'x' : 'y'`, `a && 'x'`), templates and sums, but neither variables
 * nor values of calls: `const words = 'Stop'` and `{words}` stays unnoticed.
 */
export function readTexts(program: Program): WrittenText[] {
  const found: WrittenText[] = []
  const see = (value: unknown): void => {
    found.push(...textsIn(value as Node | null))
  }
  new Visitor({
    JSXElement: ({ openingElement, children }) => {
      if (!SIGNS.has(nameOf(openingElement.name))) children.forEach(see)
    },
    JSXFragment: ({ children }) => children.forEach(see),
    JSXAttribute: ({ name, value }) => {
      if (TEXT_NAMES.has(nameOf(name))) see(value)
    },
    Property: ({ key, value }) => {
      if (TEXT_NAMES.has(nameOf(key))) see(value)
    },
    CallExpression: ({ callee, arguments: [first] }) => {
      if (SAYERS.has(nameOf(callee))) see(first)
    },
    NewExpression: ({ callee, arguments: [, message] }) => {
      if (nameOf(callee) === 'CarrelError') see(message)
    },
  }).visit(program)
  return found
}

/** Returns the texts among the possible values of an expression. */
function textsIn(node: Node | null | undefined): WrittenText[] {
  const among = (...fields: string[]) => fields.flatMap((field) => textsIn(node?.[field] as Node | undefined))
  switch (node?.type) {
    case 'JSXText':
    case 'Literal':
      return typeof node.value === 'string' ? written(node.value, node.start) : []
    case 'TemplateLiteral': {
      const parts = node.quasis as readonly { readonly value: { readonly raw: string } }[]
      return written(parts.map(({ value }) => value.raw).join('…'), node.start)
    }
    case 'ConditionalExpression':
      return among('consequent', 'alternate')
    case 'LogicalExpression':
    case 'BinaryExpression':
      return node.operator === '+' || node.type === 'LogicalExpression' ? among('left', 'right') : []
    case 'JSXExpressionContainer':
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
      return among('expression')
    default:
      return []
  }
}

/** Skips the line break at the start of text between tags, so that the line number is that of the text. */
function written(text: string, start: number): WrittenText[] {
  if (!LETTER.test(text)) return []
  return [{ text: text.trim().replace(/\s+/g, ' '), start: start + text.search(/\S/) }]
}

/** Returns the name of an identifier, a literal key or a JSX name; an empty string for any other node. */
function nameOf(node: unknown): string {
  const { name, value } = node as Node
  const text = name ?? value
  return typeof text === 'string' ? text : ''
}
