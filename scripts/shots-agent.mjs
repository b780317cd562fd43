import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// The agent of the screenshots: the scripted agent with a book of prompts (argument: a JSON file, prompt text ->
// steps). The screenshots then show a person's words and not a script.
const book = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const agent = fileURLToPath(new URL('../scripted-agent/main.ts', import.meta.url))
const child = spawn(process.execPath, [agent], { stdio: ['pipe', 'inherit', 'inherit'] })
child.on('exit', (code) => process.exit(code ?? 1))

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const frame = JSON.parse(line)
  if (frame.method === 'session/prompt') {
    for (const block of frame.params.prompt) {
      if (block.type === 'text' && book[block.text]) block.text = `@@do ${JSON.stringify(book[block.text])} @@end`
    }
  }
  child.stdin.write(`${JSON.stringify(frame)}\n`)
})
lines.on('close', () => child.stdin.end())
