import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** A checkout with one source file; the compiler, biome and knip are the real ones. */
let project: string

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-check-')))
  for (const folder of ['node_modules/@biomejs', 'node_modules/.bin'])
    mkdirSync(join(project, folder), { recursive: true })
  for (const folder of ['scripts', 'runtime']) cpSync(join(ROOT, folder), join(project, folder), { recursive: true })
  const packages = ['typescript', '@typescript', '@biomejs/biome', 'knip']
  for (const name of packages) symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name))
  const options = { strict: true, declaration: true, noEmit: true, types: [] }
  for (const name of ['tsconfig.json', 'tsconfig.web.json'])
    writeFileSync(join(project, name), JSON.stringify({ compilerOptions: options, files: ['one.ts'] }))
  const rules = { files: { includes: ['*.ts'] }, json: { formatter: { enabled: false } } }
  writeFileSync(join(project, 'biome.json'), JSON.stringify(rules))
  writeFileSync(join(project, 'package.json'), '{}')
  writeFileSync(join(project, 'knip.json'), JSON.stringify({ entry: ['one.ts'], project: ['*.ts'] }))
  writeFileSync(join(project, '.gitignore'), 'node_modules/\n')
  execFileSync('git', ['init', '--quiet'], { cwd: project })
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

function check(source: string): { readonly passed: boolean[]; readonly text: string } {
  writeFileSync(join(project, 'one.ts'), source)
  const script = `
    const { checkSources } = await import('./scripts/check-sources.mjs')
    console.log(JSON.stringify((await checkSources()).map(({ passed }) => passed === 1)))`
  const env = { PATH: process.env.PATH, CARREL_NODE: process.execPath }
  const args = ['--input-type=module', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: project, env, encoding: 'utf8' })
  return { passed: JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), text: stdout + stderr }
}

it('npm run check: a failed file fails again until somebody mends it, and a passed file passes again', () => {
  const good = 'export const one: number = 1;\n'
  const wrongType = 'export const one: number = "1";\n'
  const wrongStyle = 'export const one: number = 1\n'
  expect(check(good)).toMatchObject({ passed: [true, true, true, true] })
  for (const _twice of [1, 2]) {
    expect(check(wrongType)).toMatchObject({
      passed: [false, false, true, true],
      text: expect.stringMatching(/TS2322/),
    })
  }
  for (const _twice of [1, 2]) {
    expect(check(wrongStyle)).toMatchObject({
      passed: [true, true, false, true],
      text: expect.stringMatching(/one\.ts/),
    })
  }
  expect(check(good)).toMatchObject({ passed: [true, true, true, true] })
})
