import { posix } from 'node:path'
import type { Source } from './source-reader.ts'

/** A broken rule, as a sentence that begins with the place. */
export type Complaint = string

const MAX_LINES = 400

/** The floors that a floor may import from, besides itself. `top` are the two files above all floors. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  primitives: [],
  model: [],
  api: ['model'],
  store: ['primitives', 'model'],
  host: ['primitives', 'model'],
  engine: ['primitives', 'model', 'api', 'store', 'host'],
  client: ['model', 'api'],
  web: ['model', 'api', 'client'],
  faces: ['primitives', 'model', 'api', 'engine', 'client'],
  // An agent like any other: speaks the protocol and must not depend on the program that it tests.
  'scripted-agent': [],
  top: ['primitives', 'model', 'api', 'store', 'host', 'engine', 'client', 'faces'],
}
const TOP = ['src/index.ts', 'src/main.ts']
/** Floors that a floor may start as a program but not import. */
const STARTS: Readonly<Record<string, readonly string[]>> = { host: ['scripted-agent'] }

const FORBIDDEN_NAME = /(^|[-.])(utils?|lib|libs|helpers?|common|types|managers?|services?|impl)(?=[-.]|$)/
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.(ts|css|html)$/
const COMPONENT = /^([A-Z][A-Za-z0-9]*|[a-z0-9]+(-[a-z0-9]+)*)(\.test)?\.tsx$/
const HOOK = /^use[A-Z][A-Za-z0-9]*\.tsx?$/

/** Entry points that may read time, chance and the environment; every other module takes them as arguments. */
const MAY_READ_WORLD = [
  'src/engine/open.ts',
  'src/client/timing.ts',
  'src/faces/cli/**',
  'src/main.ts',
  'scripted-agent/**',
  'src/host/keeper/main.ts',
]

/** Returns the floor of a file, or undefined for a file outside of the house (tests, scripts). */
function floorOf(path: string): string | undefined {
  if (TOP.includes(path)) return 'top'
  if (path.startsWith('web/')) return 'web'
  if (path.startsWith('scripted-agent/')) return 'scripted-agent'
  const [, floor] = /^src\/([^/]+)\//.exec(path) ?? []
  return floor
}

export function checkFloors(sources: readonly Source[]): Complaint[] {
  return sources.filter(isProduct).flatMap((source) => {
    const from = floorOf(source.path) ?? ''
    const allowed = FLOORS[from]
    if (!allowed) return [`${source.path}: "${from}" is not a floor of the house.`]
    return source.imports
      .filter(({ relative }) => relative)
      .flatMap(({ to, started }) => {
        if (TOP.includes(to)) return from === 'top' ? [] : [`${source.path}: imports ${to}, which is for the outside.`]
        const floor = floorOf(to)
        if (started && floor !== undefined && STARTS[from]?.includes(floor)) return []
        if (floor === from || (floor !== undefined && allowed.includes(floor)) || isManifest(to)) return []
        return [`${source.path}: ${from} may not import ${to}.`]
      })
  })
}

/** Tells whether a path is the manifest, from which the product reads its name and version. */
function isManifest(path: string): boolean {
  return path === 'package.json'
}

/** Finds circles of imports between values; types may refer to each other. */
export function checkCircles(sources: readonly Source[]): Complaint[] {
  const next = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter((one) => one.relative && !one.typeOnly).map((one) => one.to),
    ]),
  )
  const done = new Set<string>()
  const complaints: Complaint[] = []
  const walk = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path)
    if (at >= 0) complaints.push(`${path}: imports itself by ${[...trail.slice(at), path].join(' -> ')}.`)
    if (at >= 0 || done.has(path)) return
    for (const to of next.get(path) ?? []) walk(to, [...trail, path])
    done.add(path)
  }
  for (const path of next.keys()) walk(path, [])
  return complaints
}

export function checkLength(sources: readonly Source[]): Complaint[] {
  return sources
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: has ${lines} lines; ${MAX_LINES} are allowed. Find the second idea in it.`)
}

export function checkNames(paths: readonly string[]): Complaint[] {
  return paths.flatMap((path) => {
    const name = posix.basename(path)
    const parts = path.split('/').map((part) => part.toLowerCase())
    if (parts.some((part) => FORBIDDEN_NAME.test(part)))
      return [`${path}: say what it holds; this name fits everything.`]
    if (!/\.(tsx?|css|html)$/.test(name) || KEBAB.test(name) || COMPONENT.test(name)) return []
    if (path.startsWith('web/') && HOOK.test(name)) return []
    return [`${path}: file names are kebab-case, React components PascalCase.`]
  })
}

export function checkCalls(sources: readonly Source[]): Complaint[] {
  return sources
    .filter(({ path }) => path.startsWith('src/') && isProduct({ path }) && !matchesAny(path, MAY_READ_WORLD))
    .flatMap(({ path, calls }) =>
      calls.map(
        ({ name, line }) =>
          `${path}:${line}: ${name} is read at an entrance (engine/open.ts) only; take it as an argument.`,
      ),
    )
}

export function checkExports(sources: readonly Source[]): Complaint[] {
  return sources
    .filter(({ path, defaultExport }) => defaultExport && !/\.config\.ts$|-setup\.ts$/.test(path))
    .map(({ path }) => `${path}: has a default export; name it.`)
}

/**
 * Checks that only its owner imports a package, and that each package is installed and accounted for.
 * @param owners package -> globs of the files that may import it
 * @param declared the packages of package.json
 */
export function checkOwners(
  sources: readonly Source[],
  owners: Readonly<Record<string, readonly string[]>>,
  declared: readonly string[],
): Complaint[] {
  return sources.filter(isProduct).flatMap(({ path, imports }) =>
    imports
      .filter(({ to, relative }) => !relative && !to.startsWith('node:'))
      .flatMap(({ to }) => {
        const name = packageOf(to)
        if (!declared.includes(name)) return [`${path}: imports ${name}, which package.json does not list.`]
        if (matchesAny(path, owners[name] ?? [])) return []
        return [`${path}: ${name} belongs to ${owners[name]?.join(', ') || 'nobody'}.`]
      }),
  )
}

/**
 * Reads the tables of docs/decisions/dependencies.md into package -> globs of the files that may import it; a tool
 * has none. A row is `| `name` | version | licence | owner | why |`.
 */
export function readOwners(markdown: string): Record<string, readonly string[]> {
  const rows = [...markdown.matchAll(/^\| `([^`]+)` \|[^|]*\|[^|]*\|([^|]*)\|(.*)\|$/gm)]
  return Object.fromEntries(
    rows.map(([, name, owner]) => [name, [...(owner ?? '').matchAll(/`([^`]+)`/g)].map(([, glob]) => glob ?? '')]),
  )
}

/** Checks that `declared` and the rows of dependencies.md are the same packages. */
export function checkAccounts(
  owners: Readonly<Record<string, readonly string[]>>,
  declared: readonly string[],
): Complaint[] {
  const missing = declared.filter((name) => owners[name] === undefined)
  const idle = Object.keys(owners).filter((name) => !declared.includes(name))
  return [
    ...missing.map((name) => `package.json: ${name} has no row in docs/decisions/dependencies.md.`),
    ...idle.map((name) => `docs/decisions/dependencies.md: ${name} is not in package.json.`),
  ]
}

/** Names of invented people in documentation and tests. */
const NOBODY = /^(me|you|user|users|someone|somebody|ada|alice|bob|name)$/i

/**
 * Finds paths that exist on one machine only: the folder of this checkout, and people's home folders.
 * @param text content of the tracked file `path`
 */
export function checkMachinePaths(path: string, text: string, checkout: string): Complaint[] {
  return text.split('\n').flatMap((line, index) => {
    const homes = [...line.matchAll(/(?<![\w.~-])(?:\/home|\/Users|[A-Z]:\\{1,2}Users)[\\/]+([\w-]+)/g)]
    const found = line.includes(`${checkout}/`) ? checkout : homes.find(([, name]) => !NOBODY.test(name ?? ''))?.[0]
    return found === undefined ? [] : [`${path}:${index + 1}: ${found} exists on one machine only.`]
  })
}

/** Checks that every text of the page stands in its table of texts. */
export function checkTexts(sources: readonly Source[]): Complaint[] {
  return sources
    .filter(
      (source) => source.path.startsWith('web/') && isProduct(source) && !/^web\/(gallery|texts)\//.test(source.path),
    )
    .flatMap(({ path, texts }) =>
      texts.map(({ text, line }) => `${path}:${line}: "${text}" is read by people; move it to a table in web/texts/.`),
    )
}

function isProduct({ path }: { path: string }): boolean {
  return /^(src|scripted-agent|web)\//.test(path) && !/\.(test|config)\.tsx?$/.test(path)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function matchesAny(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => posix.matchesGlob(path, glob))
}
