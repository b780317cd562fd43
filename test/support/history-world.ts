import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { History, PlaceSpec, ScanRequest } from '../../src/host/history/history.ts'
import { openHistory } from '../../src/host/history/open.ts'
import type { Span, Writer } from '../../src/model/files/authorship.ts'
import type { FileRules } from '../../src/model/files/conflicts.ts'
import type { FilePath, FileState } from '../../src/model/files/history.ts'
import type { RunId, SessionId } from '../../src/model/ids.ts'

/** A real folder with a real history beside it. */
export interface TestPlace extends AsyncDisposable {
  readonly history: History
  readonly key: string
  readonly root: string
  /** The folder of the history itself. */
  readonly folder: string
  write(path: FilePath, text: string | Buffer): void
  remove(path: FilePath): void
  captured(look?: Partial<ScanRequest>): ReturnType<History['capture']>
  state(path: FilePath, n?: number | null): Promise<FileState | null>
  text(path: FilePath, n: number | null): Promise<string>
  /** Opens the same place with other rules. */
  reopen(rules: Partial<FileRules>): Promise<void>
  /** Opens another place of the same history. */
  another(files: Readonly<Record<FilePath, string>>): Promise<TestPlace>
}

export const run = (name: string): RunId => `run_${name}` as RunId
export const session = (name: string): SessionId => `ses_${name}` as SessionId
const ALWAYS: readonly Span[] = [{ kind: 'work', from: 0, to: null }]
/** A run that is at work in all `spans`, or always. */
export const writer = (name: string, named: readonly FilePath[] = [], spans = ALWAYS): Writer => ({
  run: run(name),
  session: session(name),
  named,
  spans,
})

const TEST_RULES: FileRules = {
  ignore: ['node_modules/', '!.env'],
  useGitignore: true,
  maxFileBytes: 32 * 1024 * 1024,
  paths: [],
}
export const LOOK: ScanRequest = { at: 'everything', paths: [], reason: 'asked', writers: [], now: 1_000 }

export function specOf(name: string, root: string, rules: Partial<FileRules> = {}): PlaceSpec {
  const labels = { workspace: 'ws_1', space: `spc_${name}` as PlaceSpec['labels']['space'], project: null }
  return { key: `space:${name}`, labels, root, rules: { ...TEST_RULES, ...rules }, scope: { kind: 'tree' } }
}

export async function openTestHistory(
  files: Readonly<Record<FilePath, string>>,
  rules: Partial<FileRules> = {},
): Promise<TestPlace> {
  const top = mkdtempSync(join(tmpdir(), 'carrel-history-'))
  const folder = join(top, 'history')
  const history = await openHistory({ folder, now: () => 1_000 })
  const place = await placed({ history, top, folder, name: 'one' }, files, rules)
  return {
    ...place,
    async [Symbol.asyncDispose]() {
      await history.close()
      rmSync(top, { recursive: true, force: true })
    },
  }
}

interface Around {
  readonly history: History
  readonly top: string
  readonly folder: string
  readonly name: string
}

async function placed(
  { history, top, folder, name }: Around,
  files: Readonly<Record<FilePath, string>>,
  rules: Partial<FileRules>,
): Promise<TestPlace> {
  const root = join(top, name)
  mkdirSync(root)
  const write = (path: FilePath, text: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  const open = async (more: Partial<FileRules>) => {
    await history.open(specOf(name, root, { ...rules, ...more }))
    await history.ready(`space:${name}`, new AbortController().signal)
  }
  await open({})
  const key = `space:${name}`
  return {
    history,
    key,
    root,
    folder,
    write,
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    captured: (look) => history.capture(key, { ...LOOK, ...look }),
    state: (path, n = null) => history.stateAt(key, path, n),
    text: async (path, n) => Buffer.from(await history.content(key, path, n, 1 << 30)).toString(),
    reopen: open,
    another: (others) => placed({ history, top, folder, name: 'two' }, others, rules),
    async [Symbol.asyncDispose]() {},
  }
}
