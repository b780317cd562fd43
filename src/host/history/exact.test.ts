import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openTestHistory, type TestPlace } from '../../../test/support/history-world.ts'
import { property } from '../../../test/support/property.ts'
import { comparePaths, pathBytes, pathOf } from './log/paths.ts'

/** Names that have caused errors elsewhere: each is an ordinary name here. */
const NAMES = [
  Buffer.from('plain'),
  Buffer.from('-rf'),
  Buffer.from(':name'),
  Buffer.from('two\nlines'),
  Buffer.from(' "quoted" \\ '),
  Buffer.from('ü\u{1f600}'),
  Buffer.from('.env'),
  Buffer.from('..x'),
  Buffer.from([0x66, 0xff, 0xfe]),
  Buffer.from([0xed, 0xb0, 0x80]),
  Buffer.from('\ufffd'),
  Buffer.from('n'.repeat(255)),
]
const CONTENTS = ['', 'a', 'crlf\r\n', '\ufeffbom\n', 'x'.repeat(300_000), 'no end'].map((text) => Buffer.from(text))

type Step =
  | { readonly what: 'file'; readonly name: number; readonly content: number; readonly mode: number }
  | { readonly what: 'link'; readonly name: number; readonly target: string }
  | { readonly what: 'folder'; readonly name: number; readonly mode: number }
  | { readonly what: 'gone'; readonly name: number }

const name = fc.nat(NAMES.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    what: fc.constant('file' as const),
    name,
    content: fc.nat(CONTENTS.length - 1),
    mode: fc.constantFrom(0o600, 0o644, 0o755, 0o2755, 0o400),
  }),
  fc.record({
    what: fc.constant('link' as const),
    name,
    target: fc.constantFrom('nowhere', '.', '..', 'plain', 'loop/loop'),
  }),
  fc.record({ what: fc.constant('folder' as const), name, mode: fc.constantFrom(0o755, 0o700, 0o2775) }),
  fc.record({ what: fc.constant('gone' as const), name }),
)
/** Each step happens in a folder, which is made if missing. */
const moves = fc.array(fc.record({ step, inside: fc.option(name, { nil: null }) }), { minLength: 1, maxLength: 12 })

function take(root: string, { step: one, inside }: { step: Step; inside: number | null }): void {
  const child = (folder: Buffer, index: number) =>
    Buffer.concat([folder, Buffer.from('/'), NAMES[index] ?? Buffer.of()])
  const folder = inside === null ? Buffer.from(root) : child(Buffer.from(root), inside)
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    removeAll(folder)
    mkdirSync(folder)
  }
  const at = child(folder, one.name)
  removeAll(at)
  if (one.what === 'link') symlinkSync(one.target, at)
  if (one.what === 'folder') mkdirSync(at)
  if (one.what === 'file') writeFileSync(at, CONTENTS[one.content] ?? '')
  if ('mode' in one) chmodSync(at, one.mode)
}

function removeAll(at: Buffer): void {
  const stats = lstatSync(at, { throwIfNoEntry: false })
  if (stats?.isDirectory()) {
    for (const one of readdirSync(at, 'buffer')) removeAll(Buffer.concat([at, Buffer.from('/'), one]))
    rmdirSync(at)
  } else if (stats) unlinkSync(at)
}

/** Reads the disk by bytes, without any code of the history. */
function readTree(root: string): Map<string, { kind: string; mode: number; content: Buffer | null }> {
  const found = new Map<string, { kind: string; mode: number; content: Buffer | null }>()
  const visit = (folder: Buffer, path: Buffer) => {
    for (const one of readdirSync(folder, 'buffer')) {
      const at = Buffer.concat([folder, Buffer.from('/'), one])
      const inside = path.length === 0 ? one : Buffer.concat([path, Buffer.from('/'), one])
      const stats = lstatSync(at)
      const key = inside.toString('hex')
      if (stats.isDirectory()) found.set(key, { kind: 'folder', mode: stats.mode & 0o7777, content: null })
      else if (stats.isSymbolicLink())
        found.set(key, { kind: 'link', mode: 0o777, content: readlinkSync(at, 'buffer') })
      else found.set(key, { kind: 'file', mode: stats.mode & 0o7777, content: readFileSync(at) })
      if (stats.isDirectory()) visit(at, inside)
    }
  }
  visit(Buffer.from(root), Buffer.of())
  return found
}

/** Reads the newest snapshot through the history. */
async function readHistory(place: TestPlace): Promise<ReturnType<typeof readTree>> {
  const found: ReturnType<typeof readTree> = new Map()
  const span = { from: 0, to: null, after: null, limit: 10_000 }
  for (const { path, after } of await place.history.between(place.key, span)) {
    if (!after) continue
    const content =
      after.kind === 'folder' ? null : Buffer.from(await place.history.content(place.key, path, null, 1 << 30))
    found.set(pathBytes(path).toString('hex'), { kind: after.kind, mode: after.mode, content })
  }
  return found
}

const sorted = (tree: ReturnType<typeof readTree>) => [...tree].sort(([a], [b]) => (a < b ? -1 : 1))

property(
  'F1: every file on disk is read back from the history: bytes, modes, names and links',
  40,
  async (numRuns) => {
    await using place = await openTestHistory({})
    await place.captured()
    await fc.assert(
      fc.asyncProperty(fc.array(moves, { minLength: 1, maxLength: 3 }), async (rounds) => {
        for (const round of rounds) {
          for (const one of round) take(place.root, one)
          await place.captured()
          expect(sorted(await readHistory(place))).toEqual(sorted(readTree(place.root)))
        }
      }),
      { numRuns },
    )
  },
  {
    timeout: 180_000,
  },
)

it('F1: each name on disk has one text, which stands for that name alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      expect(pathBytes(pathOf(bytes)).equals(Buffer.from(bytes))).toBe(true)
    }),
    { numRuns: 2_000 },
  )
  for (const bytes of NAMES) expect(pathBytes(pathOf(bytes)).equals(bytes)).toBe(true)
})

it('F1: paths have the order of their bytes', () => {
  const paths = NAMES.map(pathOf).sort(comparePaths)
  expect(paths.map(pathBytes)).toEqual([...NAMES].sort(Buffer.compare))
})
