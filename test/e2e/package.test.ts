/** @module-tag long */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/primitives/programs.ts'
import { findOldNode, openPackageWorld, type PackageWorld, QUIET } from '../support/package-world.ts'

const VERSION = (JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string }).version
const MEBIBYTES = 65

let world: PackageWorld
let nodes: Record<'old' | 'new', string>
/** A project that uses the library. */
let project: string

beforeAll(() => {
  world = openPackageWorld()
  nodes = { old: findOldNode(world.folder('old')), new: process.execPath }
  project = world.folder('project')
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(world.root, join(project, 'node_modules', 'carrel'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
}, 300_000)
afterAll(() => world?.close())

/** Lists processes whose command line has `text`. */
const processesWith = (text: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false
    }
  })

describe.skipIf(process.platform === 'win32')('the package, installed from its tarball', { tags: ['long'] }, () => {
  it('is small, and has neither sources, nor tests, nor a Node', () => {
    const mebibytes = world.size / 2 ** 20
    console.log(`Installed size without Node: ${mebibytes.toFixed(1)} MiB (less than ${MEBIBYTES} is asked).`)
    expect(mebibytes).toBeLessThan(MEBIBYTES)
    expect(readdirSync(world.root).toSorted()).toEqual(
      ['LICENSE', 'README.md', 'bin', 'dist', 'node_modules', 'package.json', 'runtime'].toSorted(),
    )
    expect(readdirSync(join(world.root, 'dist')).toSorted()).toEqual(['node', 'types', 'web'])
    expect(
      readdirSync(join(world.root, 'node_modules')).filter((name) => /^node-(linux|darwin|bin|win)/.test(name)),
    ).toEqual([])
  })

  it('has the licences of its bundled packages', () => {
    const licences = (folder: string) =>
      readFileSync(join(world.root, 'dist', folder, 'THIRD-PARTY-LICENSES.md'), 'utf8')
    expect(licences('node')).toMatch(/## fastify - /)
    expect(licences('node')).toMatch(/## zod - /)
    expect(licences('web')).toMatch(/## react-dom - /)
  })

  describe.each(['old', 'new'] as const)('with a Node that is %s', (age) => {
    const run = (words: string[], more?: Parameters<PackageWorld['run']>[2]) => world.run(nodes[age], words, more)
    const data = () => ({ env: { CARREL_DATA_FOLDER: join(world.top, `data-${age}`) } })

    it('prints its version and what this machine lacks', async () => {
      expect(await run(['carrel', '--version'])).toMatchObject({ exit: 0, stdout: `${VERSION}\n` })
      const doctor = await run(['carrel', 'doctor'], data())
      expect(doctor.stdout).toMatch(/Node: v2[4-9]/)
      expect(doctor.stdout).toMatch(/Processes: /)
    })

    it('runs by npx from the tarball', async () => {
      const words = ['npm', 'exec', '--yes', ...QUIET, `--package=${world.tarball}`, '--', 'carrel', '--version']
      expect(await run(words)).toMatchObject({ exit: 0, stdout: `${VERSION}\n` })
    })

    it('serves the page, takes the tour with a question, and keeps the session', async () => {
      const folder = world.folder(`tour-${age}`)
      const server = world.start(nodes[age], ['carrel', 'serve', '--port', '0'], data())
      const [login = ''] = await server.until(/http:\/\/\S+token=\S+/)
      const page = await fetch(new URL('/', login))
      const html = await page.text()
      expect(page.status).toBe(200)
      const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(html) ?? []
      expect((await fetch(new URL(script, login))).headers.get('content-type')).toMatch(/javascript/)

      const tour = run(['carrel', 'run', '--agent', 'scripted', '--space', folder, 'tour'], data())
      let question = ''
      await expect
        .poll(async () => {
          const { stdout } = await run(['carrel', 'inbox', '--json'], data())
          question = /int_\w+/.exec(stdout)?.[0] ?? ''
          return question
        })
        .not.toBe('')
      expect(await run(['carrel', 'answer', question, '1'], data())).toMatchObject({ exit: 0 })
      expect(await tour).toMatchObject({ exit: 0 })
      expect(readFileSync(join(folder, 'hello-from-carrel.md'), 'utf8')).toContain('# Hello from Carrel')
      expect((await run(['carrel', 'search', 'script'], data())).stdout).toMatch(/ses_\w+/)
      expect((await run(['carrel', 'changes', '--help'])).exit).toBe(0)
      server.child.kill('SIGTERM')
      expect(await server.ended).toMatchObject({ exit: 0 })
    })

    it('is a library', async () => {
      cpSync(join(PACKAGE_ROOT, 'examples', 'library.ts'), join(project, 'example.mjs'))
      const { exit, stdout, stderr } = await run([nodes[age], 'example.mjs'], { cwd: project })
      expect({ exit, stdout }, stderr).toEqual({ exit: 0, stdout: 'completed: Hello from an agent.\n' })
    })

    it('is a library that serves, refuses with the same messages, and leaves nothing when its program is killed', async () => {
      const own = join(world.top, `library-${age}`)
      writeFileSync(
        join(project, `killed-${age}.mjs`),
        `import { openCarrel, CarrelError } from 'carrel'
         const carrel = await openCarrel({ dataFolder: ${JSON.stringify(own)} })
         const again = await openCarrel({ dataFolder: ${JSON.stringify(own)} }).catch((error) => error)
         const wrong = await carrel.call('sessions.get', { workspace: 'default', id: 'ses_none' }).catch((error) => error)
         const served = await carrel.serve({ port: 0 })
         const page = await fetch(served.url)
         await served.close()
         const closed = await fetch(served.url).then(() => 'open', () => 'closed')
         console.log(JSON.stringify([again instanceof CarrelError && again.code, wrong.code, page.status, closed]))
         setInterval(() => {}, 1000)`,
      )
      const program = world.start(nodes[age], [nodes[age], `killed-${age}.mjs`], { cwd: project })
      const [said] = await program.until(/^\[.*\]$/m)
      expect(JSON.parse(said)).toEqual(['unavailable', expect.stringMatching(/bad_input|not_found/), 200, 'closed'])
      program.child.kill('SIGKILL')
      await program.ended
      await expect.poll(() => processesWith(world.root)).toEqual([])
    })
  })

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types that compile strictly (module %s, resolution %s)', (module, moduleResolution) => {
    const [, readme = ''] =
      /```ts\n(import \{ openCarrel[\s\S]*?)```/.exec(readFileSync(join(world.root, 'README.md'), 'utf8')) ?? []
    const more = `
import { connect } from 'carrel/client'
import { emptyView, type Event, fold } from 'carrel/model'
import { describeStore } from 'carrel/testing'
export const text: string | null = done.text
export const url: string = (await carrel.serve({ port: 0 })).url
// @ts-expect-error there is no such verb
await carrel.call('sessions.dance', {})
export type { Event }
export const all = [connect, emptyView, fold, describeStore]`
    writeFileSync(join(project, 'program.ts'), `${readme}${more}`)
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(PACKAGE_ROOT, 'node_modules', '@types')],
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const tsc = join(PACKAGE_ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const compile = () => execFileSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8', stdio: 'pipe' })
    try {
      expect(compile()).toBe('')
    } catch (error) {
      throw new Error(String((error as { stdout?: string }).stdout ?? error))
    }
  })
})
