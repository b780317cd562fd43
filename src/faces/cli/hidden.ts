import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { badInput } from './problem.ts'
import type { World } from './terminal.ts'

/**
 * Reads a secret value: typed without echo, or all of stdin when it is not a terminal. Never from the arguments, which
 * every process of this machine can read.
 * @throws bad_input for an empty value
 */
export async function readHidden({ stdin, stderr }: World, prompt: string): Promise<string> {
  const value = stdin.isTTY ? await typed(stdin, stderr, prompt) : await piped(stdin)
  if (value === '')
    throw badInput('The value is empty. Type it at the prompt, or pipe it: `carrel secrets put NAME < file`.')
  return value
}

async function piped(stdin: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk))
  // `echo` and editors append a line end that is not part of the value.
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

function typed(stdin: NodeJS.ReadStream, stderr: NodeJS.WriteStream, prompt: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: stdin, output: nowhere, terminal: true })
  stderr.write(prompt)
  return new Promise((resolve, reject) => {
    const end = (how: () => void) => {
      reader.removeAllListeners('close')
      reader.close()
      stderr.write('\n')
      how()
    }
    reader.once('line', (line) => end(() => resolve(line)))
    reader.once('SIGINT', () => end(() => reject(badInput('Nothing was stored.'))))
    reader.once('close', () => end(() => resolve('')))
  })
}
