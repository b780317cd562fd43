import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { divide, groundOf } from './divide.ts'
import type { Seat } from './hierarchies.ts'

/** Files as a cgroup shows them; what is written to them has no effect. */
function folderWith(files: Readonly<Record<string, string>>, ...parts: string[]): Seat {
  const top = mkdtempSync(join(tmpdir(), 'carrel-cgroup-'))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  const folder = join(top, ...parts)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return { version: 'v2', folder, top, path: `/${parts.join('/')}` }
}

const shared = ({ folder }: Seat) => readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8')

it('a server in its leaf makes cgroups beside it, and anywhere else in its own', () => {
  const seat = (folder: string, version: Seat['version'] = 'v2'): Seat => ({ version, folder, top: '/c', path: '' })
  expect(groundOf(seat('/c/run.scope'))).toBe('/c/run.scope')
  expect(groundOf(seat('/c/run.scope/carrel'))).toBe('/c/run.scope')
  expect(groundOf(seat('/c/a/carrel', 'v1'))).toBe('/c/a/carrel')
  expect(groundOf({ ...seat('/carrel'), top: '/carrel' })).toBe('/carrel')
})

it('one that is divided already is left as it is, whoever is in it', async () => {
  const seat = folderWith({
    'cgroup.subtree_control': 'cpu memory\n',
    'cgroup.type': 'domain\n',
    'cgroup.procs': '1\n',
  })
  await divide(seat, 'memory')
  expect(shared(seat)).toBe('cpu memory\n')
})

it('an empty one is divided, and the topmost of a machine with all that is in it', async () => {
  const empty = folderWith({ 'cgroup.subtree_control': '\n', 'cgroup.type': 'domain\n', 'cgroup.procs': '' })
  const topmost = folderWith({ 'cgroup.subtree_control': 'cpu\n', 'cgroup.procs': '1\n2\n' })
  for (const seat of [empty, topmost]) {
    await divide(seat, 'pids')
    expect(shared(seat)).toBe('+pids')
  }
})

it('where others are in it, it is not divided and nobody is moved', async () => {
  // Nobody has this number: the kernel gives none so high.
  const seat = folderWith({
    'cgroup.subtree_control': '\n',
    'cgroup.type': 'domain\n',
    'cgroup.procs': `${process.pid}\n4194305\n`,
  })
  await expect(divide(seat, 'pids')).rejects.toThrow('1 other processes are in it, such as 4194305')
  expect([shared(seat), existsSync(join(seat.folder, 'carrel'))]).toEqual(['\n', false])
})
