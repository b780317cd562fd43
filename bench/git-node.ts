import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { promisify } from 'node:util'

/**
 * Runs git for the measurement, from a process of its own: a process that is forked writes each page of its memory for
 * the first time again, and the next capture of ours would pay for that of the bench.
 */
const { folder, tree } = JSON.parse(process.argv[2] ?? '{}') as { folder: string; tree: string }
const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', HOME: folder }
const base = ['--git-dir', folder, '--work-tree', tree, '-c', 'core.autocrlf=false', '-c', 'gc.auto=0']
const run = promisify(execFile)
const git = async (...args: string[]): Promise<string> =>
  (await run('git', [...base, ...args], { env, cwd: tree, maxBuffer: 1 << 26 })).stdout.trim()

type Asked = { readonly id: number; readonly question: string; readonly of?: string; readonly paths?: string[] }

const ANSWERS: Record<string, (asked: Asked) => Promise<string>> = {
  async snapshot() {
    await git('add', '-A', '.')
    return await git('write-tree')
  },
  checkout: ({ of = '', paths = [] }) => git('checkout', '--quiet', of, '--', ...paths),
  sync: async () => (await run('sync')).stdout,
}

mkdirSync(folder)
await run('git', ['init', '--quiet', '--bare', folder], { env })
process.on('message', async (asked: Asked) => {
  try {
    process.send?.({ id: asked.id, reply: await ANSWERS[asked.question]?.(asked) })
  } catch (thrown) {
    process.send?.({ id: asked.id, error: String(thrown) })
  }
})
process.once('disconnect', () => process.exit(0))
process.send?.({})
