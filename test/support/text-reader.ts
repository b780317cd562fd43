import { Visitor } from 'vite'

type Program = Parameters<Visitor['visit']>[0]
/** Any node of the syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

/** Words that a person reads, written where they are used. */
export interface WrittenText {
  readonly text: string
  readonly start: number
}

/** Attributes and fields whose value is read by a person, by the names this house gives them. */
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
/** What stands in these is no language: a key is called what is printed on it. */
const SIGNS = new Set(['kbd'])

const LETTER = /\p{L}/u

/**
 * The texts of a source that stand in it: between tags, in attributes and fields that hold texts, and in what is said
 * to a person. It follows choices (`a ? 'x' : 'y'`, `a && 'x'`), templates and sums, not variables and not the values
 * of calls: `const words = 'Stop'` and `{words}` is not found.
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

/** The words among the values that an expression may have. */
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

/** Text between tags begins with the line break before it, which is not where one would look for it. */
function written(text: string, start: number): WrittenText[] {
  if (!LETTER.test(text)) return []
  return [{ text: text.trim().replace(/\s+/g, ' '), start: start + text.search(/\S/) }]
}

/** The name of an identifier, a literal key or a name of JSX; of anything else none. */
function nameOf(node: unknown): string {
  const { name, value } = node as Node
  const said = name ?? value
  return typeof said === 'string' ? said : ''
}
