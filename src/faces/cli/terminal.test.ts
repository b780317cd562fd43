import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { openTerminal, type World } from './terminal.ts'

it.each([
  [{}, false, false],
  [{}, true, true],
  [{ NO_COLOR: '1' }, true, false],
  [{ TERM: 'dumb' }, true, false],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
])('the environment %j, at a terminal: %s, has colours: %s', (env, isTTY, colours) => {
  const stream = Object.assign(new PassThrough(), { isTTY })
  const world = { env, stdin: stream, stdout: stream, stderr: stream, now: () => 0 } as unknown as World
  expect(openTerminal(world, false).color.red('a') !== 'a').toBe(colours)
  expect(openTerminal(world, true).color.red('a')).toBe('a')
})
