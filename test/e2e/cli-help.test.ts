import { PassThrough, Writable } from 'node:stream'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { buildProgram } from '../../src/faces/cli/main.ts'
import type { World } from '../../src/faces/cli/terminal.ts'

/** Returns the help of a command and of its subcommands, as a person reads it. */
function helpOf(command: Command, said: () => string): string {
  command.outputHelp()
  const own = said()
  const below = command.commands.filter((each) => each.name() !== 'help').map((each) => helpOf(each, said))
  return [`$ carrel help ${path(command)}`.trimEnd(), '', own, ...below].join('\n')
}

function path(command: Command): string {
  return command.parent ? `${path(command.parent)} ${command.name()}`.trim() : ''
}

it('help equals the golden file (vitest -u writes it)', async () => {
  let words = ''
  // Collected at once: a stream with a reader delivers some of its data during the next command.
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      words += chunk
      done()
    },
  })
  const world = {
    env: {},
    cwd: '/',
    stdin: new PassThrough(),
    stdout,
    stderr: stdout,
    now: () => 0,
  } as unknown as World
  const program = buildProgram(world, () => undefined)
  const help = helpOf(program, () => {
    const said = words
    words = ''
    return said
  })
  expect(help).not.toContain('undefined')
  await expect(help).toMatchFileSnapshot('../golden/cli-help.txt')
})

it('each command has a description that is a sentence, and a leaf that changes something has an example or arguments', () => {
  const program = buildProgram({ env: {} } as World, () => undefined)
  const all = program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter((each) => each.name() !== 'help')
  expect(all.length).toBeGreaterThan(30)
  expect(all.filter((each) => !/^[A-Z].*\.$/s.test(each.description())).map(path)).toEqual([])
})
