import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { noSandbox } from '../support/sandbox-setup.ts'
import { codex, missingAgents, qwen, type RealAgent } from './recipes.ts'
import { openWalk } from './walk.ts'

const missing = missingAgents() ?? (await noSandbox())

const script = (words: string, ...steps: unknown[]) => `${words} @@fake ${JSON.stringify(steps)} @@end`

/** Offers the model under an address that a sandbox does not take for its own loopback. */
async function elsewhere() {
  let to = 0
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on('error', () => other.destroy()).pipe(other)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return (url: string) => {
    to = Number(new URL(url).port)
    return `http://127.0.0.2:${port}`
  }
}

/** Codex starts itself again under this name for its own sandbox, and searches the name on the PATH. */
function withOwnSandbox(agent: RealAgent): RealAgent {
  const home = agent.env.CODEX_HOME
  if (!home) return agent
  mkdirSync(join(home, 'bin'))
  symlinkSync(agent.command, join(home, 'bin/codex-linux-sandbox'))
  return { ...agent, env: { ...agent.env, PATH: `${join(home, 'bin')}:${process.env.PATH}` } }
}

describe.skipIf(missing !== null).each([
  { name: 'codex', make: codex },
  { name: 'qwen', make: qwen },
])(`$name in a sandbox (${missing ?? 'installed'})`, ({ make }) => {
  it.each(['guard', 'strict'] as const)(
    '%s: works, edits in its place, and is stopped outside of it',
    async (sandbox) => {
      const model = await elsewhere()
      let home = ''
      const walk = await openWalk((at, url): RealAgent => {
        home = at
        return withOwnSandbox(make(at, model(url)))
      })
      onTestFinished(() => walk.close())
      mkdirSync(join(home, '.ssh'))
      writeFileSync(join(home, '.ssh/id_rsa'), 'PRIVATE KEY')
      const session = await walk.newSession()
      const { carrel, workspace, space } = session
      await carrel.call('environment.set', { workspace, space: space.id, settings: { sandbox } })
      // The walls stay, whatever a person allows.
      await carrel.call('rules.add', { workspace, action: 'allow', space: space.id })
      const path = session.path('made.txt')
      const made = script('make a file', { tool: 'write', path, content: 'made by an agent\n' }, { text: 'all done' })
      expect(await session.run(made)).toMatchObject({ outcome: 'completed', error: null })
      expect(readFileSync(path, 'utf8').trim()).toBe('made by an agent')
      const beside = join(dirname(session.folder), 'beside')
      const command = `cat ${home}/.ssh/id_rsa; echo x > ${beside}; echo x > /usr/carrel-was-here; echo y > by-command; echo the-end`
      const tried = script('try it', { tool: 'bash', command, escalate: true }, { text: 'tried' })
      expect(await session.run(tried)).toMatchObject({ outcome: 'completed' })
      const words = JSON.stringify(await session.log())
      expect(words).not.toContain('PRIVATE KEY')
      expect(words).toMatch(/id_rsa: Permission denied|id_rsa: No such file/)
      expect(readFileSync(session.path('by-command'), 'utf8')).toBe('y\n')
      expect([existsSync(beside), existsSync('/usr/carrel-was-here')]).toEqual([false, false])
      // A second conversation in the same process, and a command in the agent's own sandbox where it has one.
      const own = script('look', { tool: 'bash', command: 'cat made.txt' }, { text: 'looked' })
      expect(await session.run(own)).toMatchObject({ outcome: 'completed' })
      const last = (await session.items()).filter((item) => item.kind === 'tool').at(-1)
      expect(last, JSON.stringify(last)).toMatchObject({
        status: 'completed',
      })
    },
  )
})
