import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { MIGRATIONS } from '../src/store/sql/migrations/migrate.ts'
import { checkAbsences, findAbsences } from './support/absence-rules.ts'
import { checkDocument } from './support/doc-rules.ts'
import { type Exceptions, judge } from './support/exceptions.ts'
import { longFunctions, readShapes, sharedTypes, wideFunctions } from './support/function-rules.ts'
import {
  checkAccounts,
  checkCalls,
  checkCircles,
  checkExports,
  checkFloors,
  checkLength,
  checkMachinePaths,
  checkNames,
  checkOwners,
  checkTexts,
  readOwners,
} from './support/house-rules.ts'
import { ENGINES, fixtureName, fixtureOf } from './support/old-data.ts'
import { checkCrowds, checkRooms, FLOORS_OF_ROOMS } from './support/room-rules.ts'
import { readSource } from './support/source-reader.ts'
import { checkWebFloors } from './support/web-floors.ts'
import { checkWords } from './support/word-rules.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Tracked files and new ones: a rule should speak before the commit. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))
const CODE = FILES.filter(
  (path) => /^(src|scripted-agent|web|test|bench)\/.*\.tsx?$/.test(path) && !path.startsWith('test/golden/'),
)
const SOURCES = CODE.map((path) => readSource(path, join(ROOT, path)))
const PRODUCT = SOURCES.filter(({ path }) => /^(src|scripted-agent|web)\//.test(path))
const SHAPES = PRODUCT.filter(({ path }) => !/\.test\.tsx?$/.test(path)).map(
  ({ path }) => [path, readShapes(path, readText(path))] as const,
)
/** Offenders that are tolerated until somebody mends them. A test fails when a figure could be smaller. */
const TOLERATED = JSON.parse(readText('test/support/tolerated.json')) as Record<
  'lines' | 'parameters' | 'types',
  Exceptions
>
/** Upper bound of every exception. */
const MOST_LINES_EVER = 100
const DECLARED = listDeclared()
/** Upper bound of the fixtures, which every clone carries for ever. */
const MOST_FIXTURE_BYTES = 150_000
const OWNERS = readOwners(readFileSync(join(ROOT, 'docs/decisions/dependencies.md'), 'utf8'))

it('each schema has its data as a fixture on both engines, and the fixtures are small', () => {
  const wanted = MIGRATIONS.flatMap((_, index) => ENGINES.map((engine) => fixtureOf(fixtureName(index + 1), engine)))
  const how = 'test/fixtures/README.md says how it is made'
  const missing = wanted.filter((path) => !existsSync(path)).map((path) => `${relative(ROOT, path)} is missing: ${how}`)
  expect(missing).toEqual([])
  expect(wanted.filter((path) => statSync(path).size > MOST_FIXTURE_BYTES)).toEqual([])
})

it('the tree has source files to check', () => {
  expect(PRODUCT.length).toBeGreaterThan(10)
  expect(PRODUCT.some(({ imports }) => imports.some(({ relative }) => relative))).toBe(true)
})

it('imports go down the floors only', () => {
  expect(checkFloors(SOURCES)).toEqual([])
})

it('imports of the page go down its floors only, and no features import each other in a circle', () => {
  expect(checkWebFloors(SOURCES)).toEqual([])
})

it('rooms of a floor form no circle, and no room has more than 25 files', () => {
  expect(FLOORS_OF_ROOMS.flatMap((floor) => checkRooms(PRODUCT, floor))).toEqual([])
  expect(checkCrowds(PRODUCT)).toEqual([])
})

it('no value import goes in a circle', () => {
  expect(checkCircles(PRODUCT)).toEqual([])
})

it('a file has at most 400 lines', () => {
  expect(checkLength(SOURCES)).toEqual([])
})

it('functions and components have at most 60 lines, with exceptions of at most 100', () => {
  const found = Object.fromEntries(SHAPES.flatMap(([path, shapes]) => longFunctions(path, shapes)))
  expect(judge(found, TOLERATED.lines)).toEqual([])
  expect(Object.entries(found).filter(([, lines]) => lines > MOST_LINES_EVER)).toEqual([])
})

it('functions take at most four parameters', () => {
  const found = Object.fromEntries(SHAPES.flatMap(([path, shapes]) => wideFunctions(path, shapes)))
  expect(judge(found, TOLERATED.parameters)).toEqual([])
})

it('no two files export the same type name', () => {
  expect(judge(sharedTypes(SHAPES.map(([, shapes]) => shapes)), TOLERATED.types)).toEqual([])
})

it('comments, texts and documents are plain English: they name the actor and the thing', () => {
  const prose = FILES.filter((path) => /\.(tsx?|mjs|cjs|md)$/.test(path) && !/^test\/(golden|fixtures)\//.test(path))
  const rules = /^test\/support\/word-rules(\.test)?\.ts$/
  expect(prose.filter((path) => !rules.test(path)).flatMap((path) => checkWords(path, readText(path)))).toEqual([])
})

it('names of files and folders say their content', () => {
  expect(checkNames(FILES.filter((path) => /^(src|scripted-agent|web|test|bench|scripts)\//.test(path)))).toEqual([])
})

it('time, chance and the environment come in as arguments', () => {
  expect(checkCalls(SOURCES)).toEqual([])
})

it('an error of the file system means "absent" in one place only', () => {
  // The scripted agent stands alone: it imports nothing of Carrel.
  const own = FILES.filter((path) => /^src\/.*(?<!\.test)\.ts$/.test(path) && !path.includes('/scripted-agent/'))
  expect(checkAbsences(own.flatMap((path) => findAbsences(path, readFileSync(join(ROOT, path), 'utf8'))))).toEqual([])
})

it('what a person reads on the page stands in web/texts', () => {
  expect(checkTexts(SOURCES)).toEqual([])
})

it('exports have names: there is no default export', () => {
  expect(checkExports(SOURCES)).toEqual([])
})

it('only its owner imports a package', () => {
  expect(checkOwners(SOURCES, OWNERS, DECLARED)).toEqual([])
})

it('each package has an owner in docs/decisions/dependencies.md', () => {
  expect(checkAccounts(OWNERS, DECLARED)).toEqual([])
})

it.each(['.', 'runtime'])('versions are exact, and the lockfile names no registry (%s)', (folder) => {
  const versions = Object.entries(declaredIn(folder))
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  expect(readFileSync(join(ROOT, folder, 'package-lock.json'), 'utf8')).not.toContain('"resolved"')
})

it('the package that users install bundles no dependency twice, and brings Node only where it is needed', () => {
  expect(Object.keys(readManifest('.').dependencies ?? {})).toEqual([
    '@napi-rs/xattr',
    '@parcel/watcher',
    'chrome-devtools-mcp',
  ])
  expect(readManifest('.').optionalDependencies).toBeUndefined()
})

it('the carried Node has one version, with a digest for each platform', () => {
  const { packages } = readLockfile('runtime')
  const carried = Object.entries(declaredIn('runtime'))
  expect(new Set(carried.map(([, version]) => version)).size).toBe(1)
  const locked = carried.map(([name]) => packages[`node_modules/${name}`])
  expect(locked.map((entry) => entry?.version)).toEqual(carried.map(([, version]) => version))
  expect(locked.every((entry) => entry?.integrity?.startsWith('sha512-'))).toBe(true)
})

it('packages with an install script are known, and none of the scripts runs', () => {
  const scripted = Object.entries(readLockfile('.').packages).filter(([, { hasInstallScript }]) => hasInstallScript)
  const names = scripted.map(([path]) => path.replace('node_modules/', ''))
  expect(readManifest('.').allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])))
})

it('the lockfile has the packages of every platform: npm ci refuses it without them', () => {
  const lock = readLockfile('.')
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${path}/node_modules/${name}`])
      .map((name) => `${path} asks for ${name}`),
  )
  expect(missing).toEqual([])
})

it('documents have one sentence a line, and no line over 160 characters outside of tables and code', () => {
  const documents = FILES.filter((path) => path.endsWith('.md'))
  expect(documents.length).toBeGreaterThan(20)
  expect(documents.flatMap((path) => checkDocument(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([])
})

it('no tracked file names a folder of one machine', () => {
  const texts = FILES.filter((path) => path !== 'package-lock.json' && !/\.(png|jpe?g|webp|ico|woff2?)$/.test(path))
  expect(texts.flatMap((path) => checkMachinePaths(path, readFileSync(join(ROOT, path), 'utf8'), ROOT))).toEqual([])
})

function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly allowScripts?: Record<string, boolean>
}

interface Lockfile {
  readonly packages: Record<string, Locked>
}

interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Record<string, string>
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest
}

function readLockfile(folder: string): Lockfile {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package-lock.json'), 'utf8')) as Lockfile
}

function declaredIn(folder: string): Record<string, string> {
  const { dependencies, devDependencies, optionalDependencies } = readManifest(folder)
  return { ...dependencies, ...devDependencies, ...optionalDependencies }
}

/** Lists the dependencies of the package and the carried Nodes. */
function listDeclared(): string[] {
  return ['.', 'runtime'].flatMap((folder) => Object.keys(declaredIn(folder)))
}
