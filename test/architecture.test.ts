import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { MIGRATIONS } from '../src/store/sql/migrate.ts'
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
import { ENGINES, fixtureOf } from './support/old-data.ts'
import { readSource } from './support/source-reader.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Also those not yet added to git: a rule is worth knowing before the commit. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)))
const CODE = FILES.filter((path) => /^(src|web|test|bench)\/.*\.tsx?$/.test(path) && !path.startsWith('test/golden/'))
const SOURCES = CODE.map((path) => readSource(path, join(ROOT, path)))
const PRODUCT = SOURCES.filter(({ path }) => /^(src|web)\//.test(path))
const DECLARED = listDeclared()
/** A clone carries all of them for ever. */
const MOST_FIXTURE_BYTES = 150_000
const OWNERS = readOwners(readFileSync(join(ROOT, 'docs/decisions/dependencies.md'), 'utf8'))

it('each schema has its data as a fixture, on both engines, and a small one', () => {
  const wanted = MIGRATIONS.flatMap((_, index) => ENGINES.map((engine) => fixtureOf(index + 1, engine)))
  const how = 'test/fixtures/README.md says how it is made'
  const missing = wanted.filter((path) => !existsSync(path)).map((path) => `${relative(ROOT, path)} is missing: ${how}`)
  expect(missing).toEqual([])
  expect(wanted.filter((path) => statSync(path).size > MOST_FIXTURE_BYTES)).toEqual([])
})

it('there is a house to look at', () => {
  expect(PRODUCT.length).toBeGreaterThan(10)
  expect(PRODUCT.some(({ imports }) => imports.some(({ relative }) => relative))).toBe(true)
})

it('imports go down the floors only', () => {
  expect(checkFloors(SOURCES)).toEqual([])
})

it('no value import goes in a circle', () => {
  expect(checkCircles(PRODUCT)).toEqual([])
})

it('no file holds two ideas: at most 400 lines', () => {
  expect(checkLength(SOURCES)).toEqual([])
})

it('names of files and folders say what is in them', () => {
  expect(checkNames(FILES.filter((path) => /^(src|web|test|bench|scripts)\//.test(path)))).toEqual([])
})

it('time, chance and the environment come in as arguments', () => {
  expect(checkCalls(SOURCES)).toEqual([])
})

it('what a person reads on the page stands in web/texts', () => {
  expect(checkTexts(SOURCES)).toEqual([])
})

it('exports have names', () => {
  expect(checkExports(SOURCES)).toEqual([])
})

it('each package is imported by its owner only', () => {
  expect(checkOwners(SOURCES, OWNERS, DECLARED)).toEqual([])
})

it('each package has an owner in docs/decisions/dependencies.md', () => {
  expect(checkAccounts(OWNERS, DECLARED)).toEqual([])
})

it('versions are exact, and the lockfile names no registry', () => {
  const { dependencies, devDependencies, optionalDependencies } = readManifest()
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toContain('"resolved"')
})

it('the lockfile has the packages of every platform, without which npm ci refuses it', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lockfile
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${path}/node_modules/${name}`])
      .map((name) => `${path} asks for ${name}`),
  )
  expect(missing).toEqual([])
})

it('no tracked file names a folder of one machine', () => {
  const texts = FILES.filter((path) => path !== 'package-lock.json' && !/\.(png|jpe?g|webp|ico|woff2?)$/.test(path))
  expect(texts.flatMap((path) => checkMachinePaths(path, readFileSync(join(ROOT, path), 'utf8'), ROOT))).toEqual([])
})

interface Manifest {
  readonly dependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
  readonly optionalDependencies: Record<string, string>
}

interface Lockfile {
  readonly packages: Record<string, { readonly optionalDependencies?: Record<string, string> }>
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
}

function listDeclared(): string[] {
  const { dependencies, devDependencies, optionalDependencies } = readManifest()
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
}
