import { parseSync, Visitor } from 'vite'

/** A function, method or component with a body. */
interface FunctionFound {
  /** Name of the function, else of the variable or property that holds it, else `?`. */
  readonly name: string
  readonly line: number
  /** Lines from the first to the last, inner functions included. */
  readonly lines: number
  readonly parameters: number
}

/** The parts of a source file that the rules about functions and types examine. */
export interface Shapes {
  readonly functions: readonly FunctionFound[]
  /** Names of types that the file declares and exports. */
  readonly types: readonly string[]
}

interface Spot {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** Parses a source. @throws Error when `text` is not TypeScript */
export function readShapes(path: string, text: string): Shapes {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const lineAt = lineCounter(text)
  const names = new Map<number, string>()
  const functions: FunctionFound[] = []
  const types: string[] = []
  const see = (
    node: Spot & { readonly params: readonly unknown[]; readonly id?: { readonly name: string } | null },
  ) => {
    const line = lineAt(node.start)
    const name = node.id?.name ?? names.get(node.start) ?? '?'
    functions.push({ name, line, lines: lineAt(node.end) - line + 1, parameters: node.params.length })
  }
  const named = (key: { readonly type: string; readonly name?: string }, value: Spot | null | undefined) => {
    if (value && key.name) names.set(value.start, key.name)
  }
  new Visitor({
    VariableDeclarator: ({ id, init }) => named(id as { type: string; name?: string }, init),
    Property: ({ key, value }) => named(key as { type: string; name?: string }, value),
    MethodDefinition: ({ key, value }) => named(key as { type: string; name?: string }, value),
    FunctionDeclaration: (node) => see(node as never),
    FunctionExpression: (node) => see(node as never),
    ArrowFunctionExpression: (node) => see(node as never),
    ExportNamedDeclaration: ({ declaration }) => {
      if (declaration?.type === 'TSInterfaceDeclaration' || declaration?.type === 'TSTypeAliasDeclaration')
        types.push(declaration.id.name)
    },
  }).visit(program)
  return { functions, types }
}

function lineCounter(text: string): (at: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return (at) => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

const MOST_LINES = 60
const MOST_PARAMETERS = 4

/** Returns `path#name` -> lines for every function or component of more than 60 lines. */
export function longFunctions(path: string, { functions }: Shapes): [string, number][] {
  return functions.flatMap(({ name, lines }) => (lines > MOST_LINES ? [[`${path}#${name}`, lines]] : []))
}

/** Returns `path#name` -> parameters for every function of more than four parameters. */
export function wideFunctions(path: string, { functions }: Shapes): [string, number][] {
  return functions.flatMap(({ name, parameters }) =>
    parameters > MOST_PARAMETERS ? [[`${path}#${name}`, parameters]] : [],
  )
}

/** Returns name -> number of files for every type name that several files export as their own. */
export function sharedTypes(all: readonly Shapes[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of all.flatMap(({ types }) => [...new Set(types)])) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries([...counts].filter(([, count]) => count > 1))
}
