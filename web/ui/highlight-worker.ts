import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore, type LanguageInput } from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import type { ColorAnswer, ColoredLines, ColorRequest } from './highlight.ts'

/** Grammars load one by one, with the first text in their language. */
const GRAMMARS: Record<string, LanguageInput> = {
  bash: () => import('shiki/langs/bash.mjs'),
  c: () => import('shiki/langs/c.mjs'),
  cpp: () => import('shiki/langs/cpp.mjs'),
  css: () => import('shiki/langs/css.mjs'),
  diff: () => import('shiki/langs/diff.mjs'),
  docker: () => import('shiki/langs/docker.mjs'),
  go: () => import('shiki/langs/go.mjs'),
  html: () => import('shiki/langs/html.mjs'),
  java: () => import('shiki/langs/java.mjs'),
  javascript: () => import('shiki/langs/javascript.mjs'),
  json: () => import('shiki/langs/json.mjs'),
  jsx: () => import('shiki/langs/jsx.mjs'),
  markdown: () => import('shiki/langs/markdown.mjs'),
  php: () => import('shiki/langs/php.mjs'),
  python: () => import('shiki/langs/python.mjs'),
  ruby: () => import('shiki/langs/ruby.mjs'),
  rust: () => import('shiki/langs/rust.mjs'),
  sql: () => import('shiki/langs/sql.mjs'),
  swift: () => import('shiki/langs/swift.mjs'),
  toml: () => import('shiki/langs/toml.mjs'),
  tsx: () => import('shiki/langs/tsx.mjs'),
  typescript: () => import('shiki/langs/typescript.mjs'),
  xml: () => import('shiki/langs/xml.mjs'),
  yaml: () => import('shiki/langs/yaml.mjs'),
}

const ALIASES: Record<string, string> = {
  cc: 'cpp',
  cjs: 'javascript',
  dockerfile: 'docker',
  h: 'c',
  htm: 'html',
  js: 'javascript',
  jsonc: 'json',
  md: 'markdown',
  mjs: 'javascript',
  mts: 'typescript',
  patch: 'diff',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  ts: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
}

let highlighter: Promise<HighlighterCore> | undefined

/**
 * Returns the tokens of a text, or null for an unknown language. Their colours are variables of tokens.css, so a
 * change of the theme needs no second pass.
 */
async function highlight(text: string, language: string): Promise<ColoredLines | null> {
  const name = ALIASES[language.toLowerCase()] ?? language.toLowerCase()
  const grammar = GRAMMARS[name]
  if (!grammar) return null
  highlighter ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: 'tokens', variablePrefix: '--shiki-' })],
    // The other engine is WebAssembly, which the page's policy forbids.
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  })
  const ready = await highlighter
  await ready.loadLanguage(grammar)
  return ready
    .codeToTokensBase(text, { lang: name, theme: 'tokens' })
    .map((line) => line.map(({ content, color }) => ({ content, color })))
}

addEventListener('message', ({ data }: MessageEvent<ColorRequest>) => {
  const answer = (lines: ColoredLines | null): void => postMessage({ id: data.id, lines } satisfies ColorAnswer)
  // A failure leaves the code without colours.
  highlight(data.text, data.language).then(answer, () => answer(null))
})
