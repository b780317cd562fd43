import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { digest, git, plainFolder, repository, world } from '../../../test/support/places-setup.ts'
import { agentIn, machine, noSandbox } from '../../../test/support/sandbox-setup.ts'
import type { Place } from '../places/place.ts'

const why = await noSandbox()
const untried = why ? ` (not tried: ${why})` : ''
const w = world()
const dataFolder = dirname(w.parent)
const overlayfs = (await w.places.drivers()).find(({ name }) => name === 'overlayfs')
afterAll(() => w.places.close())

/** Opens an agent at a place on a machine whose data folder contains that place. */
async function agentAt({ path, root, outside, enter, namespace }: Place) {
  const m = machine()
  const inData = { keepers: join(dataFolder, 'keepers'), ledger: w.ledger }
  const hide = [dataFolder]
  const place = { path, root, outside }
  const view = namespace === null ? null : { path, root, enter }
  return await agentIn(m, { place, hide }, { enter, ...inData }, view)
}

const WHO = 'export GIT_CONFIG_GLOBAL=/dev/null; git() { command git -c user.name=a -c user.email=a@b "$@"; }'

describe.skipIf(why !== null)(`a sandbox over the places of projects${untried}`, () => {
  it('in a worktree it commits to its branch, and touches no other branch, work tree or setting of its repository', async () => {
    const source = repository()
    git(source, 'branch', 'other')
    const [one, two] = await Promise.all(
      [1, 2].map(async () => {
        const record = await w.places.make(w.ask({ kind: 'worktree', source }))
        return { record, place: await w.places.open(record) }
      }),
    )
    if (!one || !two) throw new Error('no places')
    const common = join(source, '.git')
    const before = git(source, 'for-each-ref', 'refs/heads/main', 'refs/heads/other')
    const { run } = await agentAt(one.place)
    const committed = await run(
      `${WHO}; echo new > a.txt && git add -A && git commit -qm "by agent" && git log --format=%s -1`,
    )
    expect(committed).toMatchObject({ ok: true, text: expect.stringContaining('by agent') })
    expect(git(source, 'log', '-1', '--format=%s', one.record.git?.branch ?? '')).toBe('by agent')
    const neighbour = await w.places.open(two.record)
    for (const order of [
      'git branch -f other HEAD',
      'git update-ref refs/heads/main HEAD',
      'git config core.hooksPath /tmp',
      `echo x > ${common}/hooks/post-checkout`,
      `echo x > ${common}/HEAD`,
      `echo x > ${neighbour.outside.writes[0]}/HEAD`,
      `echo x > ${neighbour.path}/a.txt`,
      `echo x > ${one.place.outside.writes[0]}/commondir`,
      'rm .git',
      'echo x > .git',
    ])
      expect(await run(`${WHO}; ${order}`), order).toMatchObject({ ok: false })
    expect(git(source, 'for-each-ref', 'refs/heads/main', 'refs/heads/other')).toBe(before)
    expect(readFileSync(join(neighbour.path, 'a.txt'), 'utf8')).toBe('a')
    await w.places.open(one.record)
  })

  it.runIf(overlayfs?.usable)(
    'in a view it works in there, and its frozen folder and what it changed are closed',
    async () => {
      const source = plainFolder()
      const untouched = digest(source)
      const record = await w.places.make(w.ask({ kind: 'overlay', source, driver: 'overlayfs' }))
      const place = await w.places.open(record)
      const { run } = await agentAt(place)
      for (const via of ['agent', 'client'])
        expect(await run(`cat sub/b.txt; echo x > by-${via}; pwd`, via)).toMatchObject({
          ok: true,
          text: expect.stringContaining(place.path),
        })
      for (const part of [place.layer?.upper, place.layer?.lower, w.parent, source])
        for (const order of part === source ? [`echo x > ${part}/x`] : [`ls ${part}`, `echo x > ${part}/x`])
          expect((await run(order)).text, order).not.toContain('"x"')
      expect((await w.places.removalRisks(record)).changed).toEqual(['by-agent', 'by-client'])
      expect(digest(source)).toBe(untouched)
      expect(existsSync(join(source, 'x'))).toBe(false)
      // A restarted server finds the view itself, not its appearance inside the sandbox.
      const later = world({}, w.parent)
      expect((await later.places.open(record)).namespace).toBe(place.namespace)
      expect((await later.places.removalRisks(record)).changed).toEqual(['by-agent', 'by-client'])
    },
  )
})
