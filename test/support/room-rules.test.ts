import { expect, it } from 'vitest'
import { checkCrowds, checkRooms } from './room-rules.ts'
import { parseSource } from './source-reader.ts'

const house = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([path, text]) => parseSource(path, text))

it('rooms that import each other are named with the imports, types included', () => {
  const sources = house({
    'src/host/agent/a.ts': "import { b } from '../places/b.ts'",
    'src/host/places/b.ts': "import type { C } from '../reach.ts'",
    'src/host/reach.ts': "import type { A } from './agent/a.ts'",
  })
  expect(checkRooms(sources, 'src/host')).toEqual([
    'src/host: rooms import each other: src/host/agent/a.ts -> src/host/places/b.ts, src/host/places/b.ts -> src/host/reach.ts, src/host/reach.ts -> src/host/agent/a.ts.',
  ])
})

it('circles inside a room, arrows down, tests and other floors are no complaint', () => {
  const sources = house({
    'src/host/agent/a.ts': "import { b } from './b.ts'\nimport { c } from '../places/c.ts'",
    'src/host/agent/b.ts': "import { a } from './a.ts'",
    'src/host/places/c.test.ts': "import { a } from '../agent/a.ts'",
    'src/engine/d.ts': "import { a } from '../host/agent/a.ts'",
  })
  expect(checkRooms(sources, 'src/host')).toEqual([])
})

it('25 files fit in a room', () => {
  const files = (count: number) =>
    house(Object.fromEntries(Array.from({ length: count }, (_, n) => [`src/host/agent/a${n}.ts`, ''])))
  expect(checkCrowds([...files(25), ...house({ 'src/host/agent/a.test.ts': '' })])).toEqual([])
  expect(checkCrowds(files(26))).toEqual(['src/host/agent: has 26 files; 25 are allowed. Find its rooms.'])
})
