import { type ESTree, parseSync, Visitor } from 'vite'

/** A place in a source file that may take any file-system error for "absent". */
export interface Absence {
  readonly path: string
  readonly line: number
  readonly why: string
}

/** Files that may decide for themselves: in how many places, and why. The list may only shrink. */
export interface AbsenceException {
  readonly path: string
  readonly places: number
  readonly why: string
}

const ABSENCE_EXCEPTIONS: readonly AbsenceException[] = [
  { path: 'src/primitives/absent-as-null.ts', places: 2, why: 'This file defines absence.' },
  {
    path: 'src/host/agent/known-agents.ts',
    places: 1,
    why: 'A search through PATH passes by what it cannot run, as a shell does.',
  },
  {
    path: 'src/host/cgroups/cgroup.ts',
    places: 3,
    why: 'A cgroup may go while it is read (ENODEV) or be threaded (EOPNOTSUPP); its removal and its meter try again.',
  },
  { path: 'src/host/folders.ts', places: 1, why: 'Suggested folders leave out what cannot be listed.' },
  {
    path: 'src/host/process/ledger.ts',
    places: 1,
    why: 'An entry that cannot be read still names a tree to end by its file name.',
  },
  {
    path: 'src/host/places/overlay.ts',
    places: 1,
    why: 'A view is alive only when it can be reached; its pid may belong to another user by now.',
  },
  {
    path: 'src/host/places/tree-copy.ts',
    places: 1,
    why: 'A hard link that cannot be made is replaced by a copy, which throws its own error.',
  },
  {
    path: 'src/host/places/view.ts',
    places: 1,
    why: 'A search through /proc passes by processes that ended or belong to other users.',
  },
  {
    path: 'src/store/sqlite/lock.ts',
    places: 1,
    why: 'The pid only names the holder in an error that is thrown in any case.',
  },
]

/**
 * Checks that only the exceptions decide for themselves, each in as many places as it says.
 *
 * @param found the answers of `findAbsences` for all files of the product
 */
export function checkAbsences(
  found: readonly Absence[],
  exceptions: readonly AbsenceException[] = ABSENCE_EXCEPTIONS,
): string[] {
  const byPath = Map.groupBy(found, ({ path }) => path)
  const broken = [...byPath].flatMap(([path, places]) => {
    const allowed = exceptions.find((one) => one.path === path)?.places ?? 0
    if (places.length <= allowed) return []
    return places.map(
      ({ line, why }) => `${path}:${line}: ${why}; take an error for "absent" with primitives/absent-as-null only.`,
    )
  })
  const idle = exceptions.flatMap(({ path, places }) => {
    const now = byPath.get(path)?.length ?? 0
    return now < places ? [`${path}: has ${now} places and an exception for ${places}; lower the exception.`] : []
  })
  return [...broken, ...idle]
}

type Node = ESTree.Node

const FS = /^(node:)?fs(\/promises)?$/
const CODES = new Set(['ENOENT', 'ENOTDIR'])

/**
 * Finds code that decides for itself which file-system errors mean "absent". Three forms count: a comparison with the
 * codes of absence, a `.catch` or `.then` that turns a failed call of node:fs into a value, and a `try` around such a call
 * whose `catch` neither looks at the error nor throws. A call of `existsSync` counts too: it drops every error.
 *
 * @throws Error when `text` is not TypeScript
 */
export function findAbsences(path: string, text: string): Absence[] {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const names = importedFromFs(program)
  const found: Absence[] = []
  const report = (start: number, why: string) =>
    found.push({ path, line: text.slice(0, start).split('\n').length, why })
  new Visitor({
    Literal: ({ value, start }) => {
      if (typeof value === 'string' && CODES.has(value)) report(start, `compares ${value}`)
    },
    CallExpression: (call) => {
      const { callee, arguments: given, start } = call
      if (callee.type === 'Identifier' && callee.name === 'existsSync' && names.has('existsSync')) {
        report(start, 'existsSync returns false for every error')
        return
      }
      if (callee.type !== 'MemberExpression') return
      const method = nameOf(callee.property)
      const handler = method === 'catch' ? given[0] : method === 'then' ? given[1] : undefined
      if (handler && ignoresError(handler) && callsFs(callee.object, names)) report(start, `swallows with .${method}`)
    },
    TryStatement: ({ block, handler, start }) => {
      if (handler && ignoresCaught(handler) && callsFs(block, names)) report(start, 'swallows with try')
    },
  }).visit(program)
  return found
}

function importedFromFs(program: ESTree.Program): ReadonlySet<string> {
  const names = new Set<string>()
  for (const one of program.body) {
    if (one.type !== 'ImportDeclaration' || !FS.test(one.source.value)) continue
    for (const { local } of one.specifiers) names.add(local.name)
  }
  return names
}

/** True for a handler that has no parameter, or does not use it and throws nothing. */
function ignoresError(handler: Node): boolean {
  if (handler.type !== 'ArrowFunctionExpression' && handler.type !== 'FunctionExpression') return false
  return handler.params.length === 0 && !some(handler.body as Node, ({ type }) => type === 'ThrowStatement')
}

function ignoresCaught(handler: ESTree.CatchClause): boolean {
  return handler.param === null && !some(handler.body, ({ type }) => type === 'ThrowStatement')
}

function callsFs(within: Node, names: ReadonlySet<string>): boolean {
  return some(within, (node) => {
    if (node.type !== 'CallExpression') return false
    const { callee } = node
    if (callee.type === 'Identifier') return names.has(callee.name)
    return callee.type === 'MemberExpression' && names.has(nameOf(callee.object) ?? '')
  })
}

function nameOf(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : undefined
}

/** True when `node` or a node below it passes `test`. */
function some(node: Node, test: (node: Node) => boolean): boolean {
  if (test(node)) return true
  return Object.values(node).some((value) =>
    (Array.isArray(value) ? value : [value]).some((child) => isNode(child) && some(child, test)),
  )
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
