import { describe, expect, it } from 'vitest'
import type { Output } from '../../src/api/index.ts'
import type { TestSession } from '../support/carrel-session.ts'
import type { OpenCarrel } from './carrel.ts'

async function exported({ carrel, workspace, id }: TestSession, as: 'jsonl' | 'markdown', limit: number) {
  let text = ''
  for (let after: number | null = 0; after !== null; ) {
    const part: Output<'sessions.export'> = await carrel.call('sessions.export', { workspace, id, as, after, limit })
    text += part.text
    after = part.next
  }
  return text
}

export function describeExport(open: OpenCarrel): void {
  describe('export', () => {
    it('L9, B3: an export has the stored events, or a text for people, whole in parts of any size, with later secrets masked', async () => {
      const { carrel, session, workspace } = await open()
      const one = await session()
      await one.run([{ say: 'This is export-canary, and ``` in it.' }])
      const { prompt } = await one.prompt([
        { plan: ['Look around'] },
        { write: 'notes.txt', content: 'new line\n', ask: true },
        { run: 'echo the output' },
        { say: 'Done.' },
      ])
      const asked = await one.until('interaction.opened')
      await one.answer(asked.data.interaction, 'allow-once')
      await one.endOf(prompt)
      await carrel.call('secrets.put', { workspace, name: 'LATER', value: 'export-canary' })
      const log = await one.log()
      const lines = (await exported(one, 'jsonl', 3))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(lines).toEqual(JSON.parse(JSON.stringify(log).replaceAll('export-canary', '[secret LATER]')))
      const text = await exported(one, 'markdown', 4)
      expect(text).toBe(await exported(one, 'markdown', 1_000))
      for (const words of [
        /^# .*\n\n\*scripted, session ses_/,
        /## \S+ to scripted, 20\d\d-/,
        /This is \[secret LATER\], and ``` in it\./,
        /- \[ \] Look around/,
        /\*\*Write notes\.txt\*\* \(edit, completed\)/,
        /```diff\n--- .*notes\.txt\n\+\+\+ .*notes\.txt\n\+new line\n```/,
        /Answer: Allow, by \S+ via (?:the page|API|terminal)/,
        /```\nthe output\n```/,
        /\n\nDone\.\n/,
      ])
        expect(text).toMatch(words)
    })
  })
}
