import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliWorld, type Ended, openCliWorld, script } from '../support/cli-world.ts'

const rows = ({ stdout }: Ended): string[] => stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())

/** Each test begins with the files as the one before left them. */
describe('carrel and the files that an agent changed', () => {
  let world: CliWorld
  let folder: string
  let run: string
  const carrel = (...args: string[]) => world.carrel(args, { cwd: folder })
  const read = (path: string) => readFileSync(join(folder, path), 'utf8')
  beforeAll(async () => {
    world = openCliWorld()
    folder = world.folder('shop')
    writeFileSync(join(folder, 'a.txt'), 'one\ntwo\n')
    await world.serve()
    await carrel('spaces', 'create')
    await carrel('rules', 'add', 'allow', '--kind', 'edit')
    const steps = script({ edit: 'a.txt', old: 'one', new: 'ONE' }, { write: 'c.txt', content: 'c\n' })
    run = (await carrel('run', '--json', '-a', 'scripted', '--name', 'Talk', steps)).lines().at(-1).run
  })
  afterAll(() => world.close())

  it('changes, history and diff show the work of a run', async () => {
    const [here, asData, snapshots, ofPath, diff] = await Promise.all([
      carrel('changes'),
      carrel('changes', run, '--json'),
      carrel('history'),
      carrel('history', 'a.txt', '--json'),
      carrel('diff', 'a.txt', '--of', run),
    ])
    expect(rows(here)).toEqual(['CHANGE PATH BY CHANGED SINCE', 'changed a.txt Talk', 'new c.txt Talk', ''])
    const author = { kind: 'run', run }
    expect(asData.json().changes).toMatchObject([
      { path: 'a.txt', author },
      { path: 'c.txt', author, before: null },
    ])
    // A scan may fall between the two edits, or between the last one and the end of the run.
    const done = /^(\d+ .* (tool|run end) Talk (1 new|1 changed|1 new, 1 changed)\n){1,2}1 .* opened 1 new$/
    expect(rows(snapshots).slice(1, -1).join('\n')).toMatch(done)
    expect(ofPath.json().changes).toMatchObject([{ n: 2, author }])
    expect(diff.stdout).toBe('--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n')
  })

  it.each([
    [64, 'must be a path inside the working copy', ['history', '../a.txt']],
    [64, 'must be a path inside the working copy', ['diff', '/etc/passwd']],
    [64, 'must be a path inside the working copy', ['restore', '1', '../a.txt', '--yes']],
    [64, 'is not the id of a run, session or act', ['undo', 'run_none', '--yes']],
    [66, 'No project has the name "run_none". Existing names: Main.', ['changes', 'run_none']],
    [66, 'Snapshot 99 is not kept', ['restore', '99', '--yes']],
    [66, 'No project has the name "Nope"', ['apply', 'Nope', '--yes']],
    [66, 'No project has the name "Nope"', ['copies', 'preview-removal', 'Nope']],
    [0, 'No changes of this path since the history began', ['history', 'never.txt']],
    [0, 'never.txt exists in neither state', ['diff', 'never.txt']],
  ] as const)('exit %i and "%s" for %j', async (exit, words, args) => {
    const done = await carrel(...args)
    expect(done).toMatchObject({ exit, stdout: '' })
    expect(done.stderr).toContain(words)
  })

  it('F2: undo shows its plan, then applies it, and asks about paths that somebody changed since', async () => {
    const plan = await carrel('undo', run)
    expect(rows(plan).slice(1)).toEqual(['overwrite a.txt Talk', 'delete c.txt Talk', ''])
    expect(plan.stderr).toContain('Use --yes to apply the plan')
    expect(read('a.txt')).toBe('ONE\ntwo\n')

    writeFileSync(join(folder, 'c.txt'), 'mine\n')
    const refused = await carrel('undo', run, '--yes', '--json')
    expect(refused).toMatchObject({ exit: 65, stdout: '' })
    expect(JSON.parse(refused.stderr).error).toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/c\.txt.*--overwrite/),
    })
    expect(read('a.txt')).toBe('ONE\ntwo\n')

    const done = await carrel('undo', run, '--yes', '--leave', 'c.txt', '--json')
    expect(done.json()).toMatchObject({ written: ['a.txt'], left: ['c.txt'] })
    expect(read('a.txt')).toBe('one\ntwo\n')
    expect(read('c.txt')).toBe('mine\n')
    expect(await carrel('undo', done.json().id, '--yes')).toMatchObject({ exit: 0 })
    expect(read('a.txt')).toBe('ONE\ntwo\n')
  })

  it('F3: restore returns the named paths to a snapshot; a file rule holds them back', async () => {
    expect((await carrel('file-rules', 'set', 'a.*', 'block')).stdout).toBe('Changed.\n')
    expect((await carrel('file-rules', 'set', 'a.*', 'perhaps')).exit).toBe(64)
    expect((await carrel('file-rules', 'check', 'a.txt')).stdout).toBe('block: work (a.*)\n')
    expect(rows(await carrel('file-rules', 'list'))[1]).toBe('block work a.*')
    expect((await carrel('restore', '1', 'a.txt', '--yes')).exit).toBe(65)
    expect(read('a.txt')).toBe('ONE\ntwo\n')
    await carrel('file-rules', 'set', '--defaults')
    const done = await carrel('restore', '1', 'a.txt', '--yes', '--json')
    expect(done.json()).toMatchObject({ written: ['a.txt'] })
    expect(read('a.txt')).toBe('one\ntwo\n')
    expect(read('c.txt')).toBe('mine\n')
  })

  it('F8: work of a project in its own place is shown, applied, and kept when the place is removed', async () => {
    await carrel('projects', 'create', 'Apart', '--place', 'overlay')
    const state = async () => (await carrel('projects', 'list', '--json')).json().projects
    const ready = expect.arrayContaining([
      expect.objectContaining({ place: expect.objectContaining({ state: 'ready' }), name: 'Apart' }),
    ])
    await expect.poll(state, { timeout: 30_000 }).toEqual(ready)
    await carrel('run', '--project', 'Apart', '-a', 'scripted', script({ write: 'd.txt', content: 'd\n' }))
    expect((await carrel('copies', 'preview-removal', 'Apart')).stdout).toContain('d.txt exists only here')
    expect(rows(await carrel('apply', 'Apart')).slice(1)).toEqual(['create d.txt', ''])
    expect(existsSync(join(folder, 'd.txt'))).toBe(false)
    expect((await carrel('apply', 'Apart', '--yes', '--json')).json()).toMatchObject({ written: ['d.txt'], left: [] })
    expect(read('d.txt')).toBe('d\n')
    expect((await carrel('copies', 'remove', 'Apart')).stderr).toContain('Nothing was removed')
    expect((await carrel('copies', 'remove', 'Apart', '--yes')).stdout).toContain('d.txt')
    expect((await carrel('copies', 'export', 'Apart')).stdout).toContain('+++ b/d.txt\n@@ -0,0 +1,1 @@\n+d\n')
  })

  it('F8: a folder that was replaced is refused, until a person accepts it; a restore brings its files back', async () => {
    renameSync(folder, `${folder}-away`)
    mkdirSync(folder)
    const plan = ['restore', '1', 'a.txt', '--yes', '--overwrite', 'a.txt']
    const refused = await carrel(...plan)
    expect(refused.stderr).toContain('Another folder stands where')
    expect(refused.stderr).toContain('carrel history --accept-folder')
    expect((await carrel('history', '--accept-folder')).stderr).toContain('The folder was accepted.')
    expect((await carrel(...plan)).exit).toBe(0)
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('one\ntwo\n')
  })
})
