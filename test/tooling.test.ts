import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { conclude } from '../scripts/checks.mjs'
import { readOptions } from '../scripts/dev-options.mjs'
import { isInstalled } from '../scripts/install.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carrel-tooling-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('the summary of npm test', () => {
  const row = (passed: number, failed: number, reasons: string[] = []) => ({
    name: 'tests',
    passed,
    failed,
    skipped: reasons.map((reason) => ({ name: 'case', reason })),
    seconds: 0,
  })

  it.each([
    [[row(2, 0), row(1, 0)], false, '3 passed, 0 failed', 0],
    [[row(2, 1), row(1, 0)], false, '3 passed, 1 failed', 1],
    [[row(2, 0, ['no Chromium'])], false, '2 passed, 0 failed, 1 skipped', 0],
    [[row(2, 0, ['no Chromium'])], true, '2 passed, 1 failed', 1],
    [[row(2, 0, [''])], true, '2 passed, 1 failed', 1],
    [[row(2, 0, ['only on macOS'])], true, '2 passed, 0 failed, 1 skipped', 0],
    [[row(0, 0)], false, '0 passed, 0 failed', 1],
  ])('case %#: ends with its sum; CI refuses skips', (rows, ci, line, code) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    try {
      expect(conclude(rows, ci)).toBe(code)
      expect(log.mock.lastCall).toEqual([line])
    } finally {
      log.mockRestore()
      error.mockRestore()
    }
  })
})

describe('the check for installed packages', () => {
  const place = (wanted: object, present: object | undefined) => {
    const project = mkdtempSync(join(folder, 'project-'))
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify({ packages: wanted }))
    mkdirSync(join(project, 'node_modules', 'a'), { recursive: true })
    if (present) {
      writeFileSync(join(project, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: present }))
    }
    return project
  }
  const a = { version: '1.0.0', integrity: 'sha512-a' }

  it.each([
    ['the same', { '': {}, 'node_modules/a': a }, { 'node_modules/a': a }, true],
    ['nothing', { 'node_modules/a': a }, undefined, false],
    ['another version', { 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }, false],
    ['one too few', { 'node_modules/a': a, 'node_modules/b': a }, { 'node_modules/a': a }, false],
    ['a folder too few', { 'node_modules/b': a }, { 'node_modules/b': a }, false],
    ['no package of other platforms', { 'node_modules/c': { ...a, optional: true } }, {}, true],
  ])('%s', (_name, wanted, present, answer) => {
    expect(isInstalled(place(wanted, present))).toBe(answer)
  })
})

describe('the options of npm run dev', () => {
  it('has a folder of its own and free ports, unless the user names others', () => {
    const none = { port: null, pagePort: null, inspect: null, debug: null, pids: false, help: false }
    expect(readOptions([], '/anywhere')).toEqual({ ...none, data: join(ROOT, '.dev') })
    const words = ['--port', '0', '--page-port=3000', '--data', 'two', '--inspect', '9230']
    expect(readOptions(words, '/anywhere')).toEqual({
      ...none,
      port: 0,
      pagePort: 3000,
      inspect: 9230,
      data: '/anywhere/two',
    })
    expect(readOptions(['--debug', '17'], '/')).toMatchObject({ debug: 17 })
  })

  it.each([
    [['--port', 'x'], '--port needs a whole number from 0 to 65535; "x" is none.'],
    [['--page-port', '65536'], '--page-port needs a whole number from 0 to 65535; "65536" is none.'],
    [['--inspect', '0'], '--inspect needs a whole number from 1 to 65535; "0" is none.'],
    [['--debug', '-1'], /--debug.*`npm run dev -- --help` lists the options\./],
    [['--prot', '1'], "Unknown option '--prot'. `npm run dev -- --help` lists the options."],
    [['garden'], "Unexpected argument 'garden'. `npm run dev -- --help` lists the options."],
  ])('refuses %j with a message', (words, sentence) => {
    expect(() => readOptions(words, '/')).toThrow(sentence)
  })
})

describe('bin/carrel.cjs on a Node that is too old', () => {
  // The Node of this test, made to report version 20: the number decides, on any machine.
  const OLD =
    "if (!process.env.CARREL_RESTARTED) Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })"
  let command: string[]

  beforeAll(() => {
    mkdirSync(join(folder, 'bin'))
    mkdirSync(join(folder, 'src'))
    cpSync(join(ROOT, 'bin', 'carrel.cjs'), join(folder, 'bin', 'carrel.cjs'))
    cpSync(join(ROOT, 'runtime'), join(folder, 'runtime'), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'old.cjs'), OLD)
    writeFileSync(
      join(folder, 'src', 'main.ts'),
      `const [what, value]: string[] = process.argv.slice(2)
       if (what === 'exit') process.exit(Number(value))
       if (what === 'show') console.log(JSON.stringify([value, Object.keys(process.env).filter((name) => name.startsWith('CARREL_R'))]))
       if (what === 'stay') {
         const stay = setInterval(() => {}, 1_000)
         process.on('SIGTERM', () => { clearInterval(stay); console.log('stopped'); process.exitCode = 3; process.channel?.unref() })
         console.log('ready')
       }`,
    )
    command = ['--require', join(folder, 'old.cjs'), join(folder, 'bin', 'carrel.cjs')]
  })

  const environment = (node?: string) => ({
    PATH: process.env.PATH,
    ...(node === undefined ? {} : { CARREL_NODE: node }),
  })

  it('starts the other Node, passes the arguments on and leaves no trace in the environment', () => {
    const out = execFileSync(process.execPath, [...command, 'show', 'a b*c'], {
      env: environment(process.execPath),
      encoding: 'utf8',
    })
    expect(JSON.parse(out)).toEqual(['a b*c', []])
  })

  it('passes the exit code on', () => {
    expect(spawnSync(process.execPath, [...command, 'exit', '75'], { env: environment(process.execPath) }).status).toBe(
      75,
    )
  })

  it('tells the user what to do when CARREL_NODE names no Node', () => {
    const { status, stderr } = spawnSync(process.execPath, [...command, 'exit', '0'], {
      env: environment(join(folder, 'nowhere')),
      encoding: 'utf8',
    })
    expect(status).toBe(69)
    expect(stderr).toMatch(/nowhere cannot be started .*Install Node 24 or newer, or set CARREL_NODE/)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('%s to the starter stops the started process', async (signal) => {
    const starter = spawn(process.execPath, [...command, 'stay'], {
      env: environment(process.execPath),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(starter.stdout, 'data')
    const exited = once(starter, 'exit')
    const output = starter.stdout.toArray()
    starter.kill(signal)
    expect(await exited).toEqual(signal === 'SIGTERM' ? [3, null] : [null, 'SIGKILL'])
    // The pipe ends when its last holder, the started process, is gone.
    expect(Buffer.concat(await output).toString()).toBe('stopped\n')
  })
})
