import { expect, it } from 'vitest'
import { positionIn } from './hierarchies.ts'
import { unitOf } from './systemd.ts'

const line = (root: string, point: string, type: string, options: string) =>
  `30 22 0:27 ${root} ${point} rw,nosuid shared:9 - ${type} ${type} ${options}\n`
const V2 = line('/', '/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate')
const V1 = `${line('/', '/sys/fs/cgroup', 'tmpfs', 'ro')}${line('/', '/sys/fs/cgroup/memory', 'cgroup', 'rw,memory')}${line('/', '/sys/fs/cgroup/cpu', 'cgroup', 'rw,cpu,cpuacct')}`
const HYBRID = `${V1}${line('/', '/sys/fs/cgroup/unified', 'cgroup2', 'rw')}`

it.each([
  ['a scope of a person', '0::/user.slice/run-1.scope\n', V2, null, '/sys/fs/cgroup/user.slice/run-1.scope'],
  ['a namespace of its own', '0::/\n', V2, null, '/sys/fs/cgroup'],
  ['a mount of a part', '0::/docker/c1/carrel\n', line('/docker/c1', '/c', 'cgroup2', 'rw'), null, '/c/carrel'],
  ['a mount of just its own', '0::/docker/c1\n', line('/docker/c1', '/c', 'cgroup2', 'rw'), null, '/c'],
  ['version 1', '5:cpu,cpuacct:/a\n4:memory:/b\n0::/c\n', HYBRID, 'memory', '/sys/fs/cgroup/memory/b'],
  ['both', '4:memory:/b\n0::/c\n', HYBRID, null, '/sys/fs/cgroup/unified/c'],
  ['a folder with a blank', '0::/a b\n', line('/', '/my\\040cgroups', 'cgroup2', 'rw'), null, '/my cgroups/a b'],
])('%s: a process finds its cgroup', (_name, cgroup, mountinfo, controller, folder) => {
  expect(positionIn({ cgroup, mountinfo }, controller)).toMatchObject({ folder, version: controller ? 'v1' : 'v2' })
})

it.each([
  ['outside of its namespace', '0::/../other\n', V2, null],
  ['beside what is mounted', '0::/docker/c2\n', line('/docker/c1', '/c', 'cgroup2', 'rw'), null],
  ['a name that only begins alike', '0::/docker/c10\n', line('/docker/c1', '/c', 'cgroup2', 'rw'), null],
  ['nothing mounted', '0::/a\n', '', null],
  ['a controller that is not mounted', '3:pids:/\n', V1, 'pids'],
  ['a machine without cgroups', '', '', null],
])('%s: there is none to be used', (_name, cgroup, mountinfo, controller) => {
  expect(positionIn({ cgroup, mountinfo }, controller)).toBeNull()
})

it.each([
  ['/system.slice/carrel.service', { unit: 'carrel.service', user: false }],
  ['/system.slice/carrel.service/carrel', { unit: 'carrel.service', user: false }],
  ['/user.slice/user-1000.slice/session-3.scope', { unit: 'session-3.scope', user: false }],
  ['/user.slice/user-1000.slice/user@1000.service/app.slice/run-u7.scope', { unit: 'run-u7.scope', user: true }],
  ['/user.slice/user-1000.slice/user@1000.service', { unit: 'user@1000.service', user: false }],
  ['/', null],
  ['/docker/c1', null],
])('%s is of the unit %j', (path, unit) => {
  expect(unitOf(path)).toEqual(unit)
})
