// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the samples are sources
import { expect, it } from 'vitest'
import { parseSource } from './source-reader.ts'

const textsOf = (text: string) => parseSource('web/a.tsx', text).texts.map((one) => one.text)

it.each([
  ['<p>No session yet</p>', ['No session yet']],
  ['<p>\n  Show {n} more\n</p>', ['Show', 'more']],
  ['<>Loading <b>all</b> of it</>', ['Loading', 'of it', 'all']],
  ["<p>{'Stop'}</p>", ['Stop']],
  ['<p>{n > 0 && `in ${n} sessions`}</p>', ['in … sessions']],
  ["<p>{name ?? (gone ? 'Gone' : 'New')}</p>", ['Gone', 'New']],
  ['<b aria-label="Close" title={"Close it"} />', ['Close', 'Close it']],
  ['<input placeholder={`Find in ${name}`} />', ['Find in …']],
  ["<img alt={many ? 'Pictures' : 'Picture'} />", ['Pictures', 'Picture']],
  ['<Fold head={<span>Output</span>} />', ['Output']],
  ["const entry = { label: 'Archive', act }", ['Archive']],
  ["const entry = { label: 'Archive ' + name }", ['Archive']],
  ['say(`${name} was archived.`)', ['… was archived.']],
  ["throw new CarrelError('gone', 'The folder went. Look again.')", ['The folder went. Look again.']],
  ['<p>Größe</p>', ['Größe']],
])('texts: the reader finds those of %s', (text, found) => {
  expect(textsOf(text)).toEqual(found)
})

it.each([
  '<p>{texts.inbox.title}</p>',
  '<p className="faint wide" id="main" role="status" data-state={open ? "open" : "shut"}>{name}</p>',
  "<p>{at} · {place} +{n} {' '}/{`${a}: ${b}`}</p>",
  '<Choice label={texts.ui.agent} value="queue" onChoose={() => choose("steer")} />',
  '<h2 title={name}>{kind === "blank" ? name : words(place, "short")}</h2>',
  '<kbd>Enter</kbd>',
  "const entry = { kind: 'rename', id: 'go there', ...texts.palette.rename }",
  "say(texts.done); remember('draft', 'on'); const words = 'Stop'",
  "throw new CarrelError('gone', texts.gone)",
  '// <p>Not shown</p>',
])('texts: the reader finds none in %s', (text) => {
  expect(textsOf(text)).toEqual([])
})
