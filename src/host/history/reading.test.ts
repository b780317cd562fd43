import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openTestHistory, session, type TestPlace, writer } from '../../../test/support/history-world.ts'

const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join('')
const TEN = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't']

it('F2: each hunk of a diff names the author of its lines, with two runs and a person in one file', async () => {
  await using place = await openTestHistory({ text: lines(...TEN) })
  await place.captured()
  const write = async (at: number, text: string, who: string | null) => {
    TEN_NOW[at] = text
    place.write('text', lines(...TEN_NOW))
    await place.captured({ writers: who === null ? [] : [writer(who)] })
  }
  const TEN_NOW = [...TEN]
  await write(1, 'by one', 'one')
  await write(10, 'by two', 'two')
  await write(18, 'by hand', null)
  const diff = await place.history.diff(place.key, 'text', { from: 1, to: null })
  expect(diff.hunks.map(({ author }) => (author?.kind === 'run' ? author.session : author?.kind))).toEqual([
    session('one'),
    session('two'),
    'outside',
  ])
  place.write('text', lines(...TEN_NOW, 'not yet captured'))
  const now = await place.history.diff(place.key, 'text', { from: 4, to: null })
  expect(now.hunks.map(({ author }) => author)).toEqual([null])
})

/** Applies a patch with git in another folder and compares that with the place. */
async function expectApplies(place: TestPlace, from: number): Promise<void> {
  const patch = await place.history.patch(place.key, { from, to: null })
  const top = mkdtempSync(join(tmpdir(), 'carrel-patch-'))
  try {
    for (const { path, before } of await place.history.between(place.key, {
      from,
      to: null,
      after: null,
      limit: 1_000,
    })) {
      if (!before || before.kind === 'folder') continue
      const bytes = await place.history.content(place.key, path, from, 1 << 30)
      mkdirSync(join(top, path, '..'), { recursive: true })
      if (before.kind === 'link') symlinkSync(Buffer.from(bytes).toString(), join(top, path))
      else writeFileSync(join(top, path), bytes, { mode: before.mode })
    }
    writeFileSync(join(top, '..', `${top.split('/').pop()}.patch`), patch)
    execFileSync('git', ['apply', '--whitespace=nowarn', `${top}.patch`], { cwd: top, env: { PATH: process.env.PATH } })
    execFileSync('diff', ['-r', '--no-dereference', top, place.root], { encoding: 'utf8' })
  } finally {
    rmSync(top, { recursive: true, force: true })
    rmSync(`${top}.patch`, { force: true })
  }
}

it('git apply accepts a patch: new, deleted, modes, links, binaries, odd names, no end of line', async () => {
  await using place = await openTestHistory({
    kept: lines(...TEN),
    gone: 'x\n',
    turns: 'file',
    binary: 'a\0b',
    mode: 'm\n',
  })
  await place.captured()
  place.write('kept', lines('first', ...TEN.slice(1)).trimEnd())
  place.remove('gone')
  place.remove('turns')
  symlinkSync('kept', join(place.root, 'turns'))
  place.write('binary', Buffer.from([...Array(1_000).keys()].map((at) => (at * at) % 256)))
  chmodSync(join(place.root, 'mode'), 0o755)
  place.write('new/tab\tand "quotes" ü', 'new\n')
  place.write('empty', '')
  place.write('latin', Buffer.from([0xe9, 0x0a]))
  await place.captured()
  await expectApplies(place, 1)
})

it('F5: excluded paths are listed by size, with an exact count of files', async () => {
  await using place = await openTestHistory(
    { 'node_modules/a/x': 'x'.repeat(500), 'node_modules/b': 'y', 'out/z': 'z', big: 'b'.repeat(200) },
    { ignore: ['node_modules/', 'out/'], maxFileBytes: 100 },
  )
  await place.captured()
  expect(await place.history.gaps(place.key, 10)).toEqual([
    { path: 'node_modules', why: 'ignored', bytes: 501, files: 2 },
    { path: 'big', why: 'too_large', bytes: 200, files: null },
    { path: 'out', why: 'ignored', bytes: 1, files: 1 },
  ])
})

it('B1: changes come from all places of a workspace, in pages, and from no other workspace', async () => {
  await using place = await openTestHistory({ a: '1' })
  await using other = await place.another({ a: '1' })
  for (let round = 0; round < 6; round++) {
    const which = round % 2 === 0 ? place : other
    which.write('a', `round ${round}`)
    await which.captured({ now: 2_000 + round, writers: [writer(`r${round}`)] })
  }
  const seen: string[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await place.history.changesIn({ workspace: 'ws_1' }, { cursor, limit: 2 })
    seen.push(...page.map(({ key, change }) => `${key} ${change.at}`))
    cursor = page.at(-1)?.cursor ?? null
    if (cursor === null) break
  }
  expect(seen).toEqual(
    [2_005, 2_004, 2_003, 2_002, 2_001, 2_000].map((at) => `${at % 2 ? 'space:two' : 'space:one'} ${at}`),
  )
  const mine = await place.history.changesIn({ workspace: 'ws_1' }, { cursor: null, limit: 9, session: session('r3') })
  expect(mine.map(({ key }) => key)).toEqual(['space:two'])
  expect(await place.history.changesIn({ workspace: 'ws_2' }, { cursor: null, limit: 9 })).toEqual([])
  await expect(place.history.changesIn({ workspace: 'ws_1' }, { cursor: 'x', limit: 9 })).rejects.toMatchObject({
    code: 'bad_input',
  })
})
