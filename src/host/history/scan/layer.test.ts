import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { LOOK, specOf, writer } from '../../../../test/support/history-world.ts'
import type { Captured, History } from '../history.ts'
import { openHistory } from '../open.ts'

const FILES = {
  'a.txt': 'a below\n',
  'dir/one': '1',
  'dir/two': '2',
  'dir/deep/three': '3',
  'other/four': '4',
  untouched: 'u',
}
const KEY = 'space:one'

interface View extends AsyncDisposable {
  readonly root: string
  readonly history: History
  captured(): Promise<Captured>
  text(path: string, n: number | null): Promise<string>
}

/** Opens a real overlay on a tmpfs, because an overlay cannot lie on another one. */
async function openView(): Promise<View> {
  const top = mkdtempSync(join(tmpdir(), 'carrel-layer-'))
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', top])
  const [lower, upper, work, root] = ['lower', 'upper', 'work', 'root'].map((name) => join(top, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const folder of [lower, upper, work, root]) mkdirSync(folder)
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(lower, path)), { recursive: true })
    writeFileSync(join(lower, path), text)
  }
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work}`, root])
  const history = await openHistory({ folder: join(top, 'history'), now: () => 1_000 })
  await history.open({ ...specOf('one', root), scope: { kind: 'layer', lower, upper } })
  await history.ready(KEY, new AbortController().signal)
  return {
    root,
    history,
    captured: () => history.capture(KEY, { ...LOOK, writers: [writer('r1')] }),
    text: async (path, n) => Buffer.from(await history.content(KEY, path, n, 1 << 20)).toString(),
    async [Symbol.asyncDispose]() {
      await history.close()
      execFileSync('umount', [root])
      execFileSync('umount', [top])
      rmSync(top, { recursive: true })
    },
  }
}

const summary = ({ changes }: Captured) =>
  changes.map(({ path, before, after }) => `${path} ${before?.kind ?? '-'} ${after?.kind ?? '-'}`)

const canMount = process.platform === 'linux' && process.getuid?.() === 0
it.skipIf(!canMount)(
  'F6: of a view only changes are scanned, and earlier states come from the frozen folder (skipped: mounting needs root)',
  async () => {
    await using view = await openView()
    expect((await view.captured()).n).toBe(1)
    expect(await view.text('a.txt', 1)).toBe('a below\n')
    writeFileSync(join(view.root, 'a.txt'), 'changed\n')
    rmSync(join(view.root, 'dir/one'))
    mkdirSync(join(view.root, 'new'))
    writeFileSync(join(view.root, 'new/file'), 'n')
    // The file was opened for writing and not written: it is in the upper folder, unchanged.
    chmodSync(join(view.root, 'untouched'), 0o600)
    chmodSync(join(view.root, 'untouched'), 0o644)
    expect(summary(await view.captured())).toEqual([
      'a.txt file file',
      'dir/one file -',
      'new - folder',
      'new/file - file',
    ])
    expect(await view.text('a.txt', 1)).toBe('a below\n')
    expect(await view.text('a.txt', 2)).toBe('changed\n')
    expect(await view.text('dir/one', 1)).toBe('1')
    expect(await view.history.stateAt(KEY, 'dir/one', 2)).toBe(null)
    expect(await view.text('other/four', 2)).toBe('4')
    expect((await view.captured()).n).toBe(2)
  },
)

it.skipIf(!canMount)(
  'F6: a recreated folder hides its earlier content, and a restored file is found again (skipped: mounting needs root)',
  async () => {
    await using view = await openView()
    await view.captured()
    rmSync(join(view.root, 'dir'), { recursive: true })
    mkdirSync(join(view.root, 'dir'))
    writeFileSync(join(view.root, 'dir/two'), 'anew')
    expect(summary(await view.captured())).toEqual([
      'dir/deep folder -',
      'dir/deep/three file -',
      'dir/one file -',
      'dir/two file file',
    ])
    rmSync(join(view.root, 'other'), { recursive: true })
    symlinkSync('dir', join(view.root, 'other'))
    expect(summary(await view.captured())).toEqual(['other folder link', 'other/four file -'])
    writeFileSync(join(view.root, 'dir/one'), '1')
    renameSync(join(view.root, 'dir/two'), join(view.root, 'dir/three'))
    expect(summary(await view.captured())).toEqual(['dir/one - file', 'dir/three - file', 'dir/two file -'])
    expect((await view.captured()).n).toBe(4)
    const all = await view.history.between(KEY, { from: 1, to: null, after: null, limit: 100 })
    expect(all.map(({ path }) => path)).toEqual([
      'dir/deep',
      'dir/deep/three',
      'dir/three',
      'dir/two',
      'other',
      'other/four',
    ])
  },
)
