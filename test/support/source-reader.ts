import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseSync, Visitor } from 'vite'
import { readTexts } from './text-reader.ts'

/** The parts of a source file that the rules of the house examine. Paths start at the root of the project, with `/`. */
export interface Source {
  readonly path: string
  readonly lines: number
  readonly imports: readonly Import[]
  /** Calls of `Date.now`, `Math.random`, `process.env`, and `new Date()` without arguments, each as written here. */
  readonly calls: readonly { readonly name: string; readonly line: number }[]
  readonly defaultExport: boolean
  /** Texts for people that stand in the source itself. */
  readonly texts: readonly { readonly text: string; readonly line: number }[]
}

interface Import {
  /** The specifier of a package as written; for a relative import, the path in the project. */
  readonly to: string
  readonly relative: boolean
  readonly typeOnly: boolean
  /** True for a program that a thread or process starts by its URL, without an import. */
  readonly started?: boolean
  /** An `import()`, which loads later. */
  readonly lazy?: boolean
}

const WATCHED = new Set(['Date.now', 'Math.random', 'process.env'])

export function readSource(path: string, absolute: string): Source {
  return parseSource(path, readFileSync(absolute, 'utf8'))
}

/** Parses a source. @throws Error when `text` is not TypeScript */
export function parseSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const imports: Import[] = []
  const calls: { name: string; line: number }[] = []
  let defaultExport = false
  const see = (specifier: string, typeOnly: boolean) => imports.push(resolveImport(path, specifier, typeOnly))
  const call = (name: string, start: number) => calls.push({ name, line: countLines(text.slice(0, start)) })
  new Visitor({
    ImportDeclaration: ({ source, importKind, specifiers }) => {
      const typed = specifiers.filter((one) => one.type === 'ImportSpecifier' && one.importKind === 'type')
      see(source.value, importKind === 'type' || (specifiers.length > 0 && typed.length === specifiers.length))
    },
    ExportNamedDeclaration: ({ source, exportKind, specifiers }) => {
      if (source)
        see(
          source.value,
          exportKind === 'type' || (specifiers.length > 0 && specifiers.every((one) => one.exportKind === 'type')),
        )
      if (specifiers.some(({ exported }) => exported.type === 'Identifier' && exported.name === 'default'))
        defaultExport = true
    },
    ExportAllDeclaration: ({ source, exportKind }) => see(source.value, exportKind === 'type'),
    ImportExpression: ({ source }) => {
      if (source.type === 'Literal' && typeof source.value === 'string')
        imports.push({ ...resolveImport(path, source.value, false), lazy: true })
    },
    TSImportType: ({ source }) => see(source.value, true),
    ExportDefaultDeclaration: () => {
      defaultExport = true
    },
    MemberExpression: ({ object, property, start }) => {
      if (object.type !== 'Identifier') return
      const key =
        property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : undefined
      if (WATCHED.has(`${object.name}.${key}`)) call(`${object.name}.${key}`, start)
    },
    NewExpression: ({ callee, arguments: given, start }) => {
      if (callee.type !== 'Identifier') return
      if (callee.name === 'Date' && given.length === 0) call('new Date()', start)
      // The URL of a worker's file is an import in all but name.
      if (callee.name === 'URL' && given[0]?.type === 'Literal' && typeof given[0].value === 'string') {
        if (/^\.\.?\/.*\.tsx?$/.test(given[0].value)) {
          imports.push({ ...resolveImport(path, given[0].value, true), started: true })
        }
      }
    },
  }).visit(program)
  const texts = readTexts(program).map((one) => ({ text: one.text, line: countLines(text.slice(0, one.start)) }))
  return { path, lines: countLines(text) - (text.endsWith('\n') ? 1 : 0), imports, calls, defaultExport, texts }
}

function resolveImport(path: string, specifier: string, typeOnly: boolean): Import {
  const relative = specifier.startsWith('.')
  const to = relative ? posix.normalize(posix.join(posix.dirname(path), specifier)) : specifier
  return { to, relative, typeOnly }
}

function countLines(text: string): number {
  return text.split('\n').length
}
