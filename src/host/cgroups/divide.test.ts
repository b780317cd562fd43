import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { divide, parentFolder } from './divide.ts'
import type { CgroupPosition } from './hierarchies.ts'

/** Makes files as in a cgroup; writing to them has no effect. */
function folderWith(files: Readonly<Record<string, string>>, ...parts: string[]): CgroupPosition {
  const top = mkdtempSync(join(tmpdir(), 'carrel-cgroup-'))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  const folder = join(top, ...parts)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return { version: 'v2', folder, top, path: `/${parts.join('/')}` }
}

const shared = ({ folder }: CgroupPosition) => readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8')

it('a server in its leaf makes cgroups beside it, and anywhere else in its own', () => {
  const position = (folder: string, version: CgroupPosition['version'] = 'v2'): CgroupPosition => ({
    version,
    folder,
    top: '/c',
    path: '',
  })
  expect(parentFolder(position('/c/run.scope'))).toBe('/c/run.scope')
  expect(parentFolder(position('/c/run.scope/carrel'))).toBe('/c/run.scope')
  expect(parentFolder(position('/c/a/carrel', 'v1'))).toBe('/c/a/carrel')
  expect(parentFolder({ ...position('/carrel'), top: '/carrel' })).toBe('/carrel')
})

it('a divided cgroup is left unchanged, whatever processes it has', async () => {
  const position = folderWith({
    'cgroup.subtree_control': 'cpu memory\n',
    'cgroup.type': 'domain\n',
    'cgroup.procs': '1\n',
  })
  await divide(position, 'memory')
  expect(shared(position)).toBe('cpu memory\n')
})

it('an empty cgroup is divided, and the topmost of a machine with all its processes', async () => {
  const empty = folderWith({ 'cgroup.subtree_control': '\n', 'cgroup.type': 'domain\n', 'cgroup.procs': '' })
  const topmost = folderWith({ 'cgroup.subtree_control': 'cpu\n', 'cgroup.procs': '1\n2\n' })
  for (const position of [empty, topmost]) {
    await divide(position, 'pids')
    expect(shared(position)).toBe('+pids')
  }
})

it('a cgroup with other processes is not divided, and none is moved', async () => {
  // No process has this number: it is above the kernel's maximum.
  const position = folderWith({
    'cgroup.subtree_control': '\n',
    'cgroup.type': 'domain\n',
    'cgroup.procs': `${process.pid}\n4194305\n`,
  })
  await expect(divide(position, 'pids')).rejects.toThrow('1 other processes, such as 4194305')
  expect([shared(position), existsSync(join(position.folder, 'carrel'))]).toEqual(['\n', false])
})
