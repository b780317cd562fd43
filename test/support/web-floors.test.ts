import { expect, it } from 'vitest'
import { parseSource } from './source-reader.ts'
import { checkWebFloors } from './web-floors.ts'

it.each([
  ['web/ui/A.tsx', "import { b } from '../data/b.ts'"],
  ['web/texts/a.ts', "import type { B } from '../board/b.ts'"],
  ['web/data/a.ts', "import { b } from '../files/b.ts'"],
  ['web/board/A.tsx', "import { B } from '../shell/B.tsx'"],
  ['web/board/A.tsx', "import { router } from '../routes.tsx'"],
  ['web/shell/A.tsx', "import { b } from '../gallery/b.ts'"],
])('the page: %s may not %s', (path, text) => {
  expect(checkWebFloors([parseSource(path, text)])).toHaveLength(1)
})

it.each([
  ['web/texts/a.ts', "import { b } from '../ui/b.ts'"],
  ['web/ui/A.tsx', "import { b } from '../texts/b.ts'"],
  ['web/board/A.tsx', "import { B } from '../files/B.tsx'"],
  ['web/routes.tsx', "const board = () => import('./board/B.tsx')"],
  ['web/files/a.test.ts', "import { b } from '../gallery/b.ts'"],
  ['web/data/a.ts', "import { b } from '../../src/model/b.ts'"],
])('the page: %s may %s', (path, text) => {
  expect(checkWebFloors([parseSource(path, text)])).toEqual([])
})

it('the page: features that import each other in a circle are found', () => {
  const sources = [
    parseSource('web/board/A.tsx', "import { B } from '../files/B.tsx'"),
    parseSource('web/files/C.tsx', "import { D } from '../inbox/D.tsx'"),
    parseSource('web/inbox/E.tsx', "import type { F } from '../board/F.tsx'"),
  ]
  expect(checkWebFloors(sources)).toEqual(['web/board: features import each other: board -> files -> inbox -> board.'])
  expect(checkWebFloors(sources.slice(1))).toEqual([])
})
