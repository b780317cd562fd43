import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Step } from '../support/carrel-session.ts'
import { below, isBelow, type Node, parentOf, type Tree } from './tree.ts'

/**
 * One change that an author makes. `how` of a write: `through` keeps the file and cuts it first, `replace` renames a
 * new file over it, `tool` and `client` are the agent's own writes (a person writes `through`). `line` replaces one
 * line of a file. `turn` makes a folder of a file, or the reverse. `aged`: the file gets a time in the past.
 */
export type Edit =
  | { do: 'write'; path: string; text: string; how: 'through' | 'replace' | 'tool' | 'client'; aged?: boolean }
  | { do: 'append'; path: string; text: string }
  | { do: 'line'; path: string; at: number; text: string }
  | { do: 'empty'; path: string }
  | { do: 'remove'; path: string }
  | { do: 'mkdir'; path: string }
  | { do: 'move'; path: string; to: string }
  | { do: 'swap'; path: string; to: string }
  | { do: 'turn'; path: string; text: string }
  | { do: 'link'; path: string; target: string }
  | { do: 'mode'; path: string; mode: number }
  | { do: 'twin'; path: string; to: string }
  | { do: 'pipe'; path: string }

type Of<K extends Edit['do']> = Extract<Edit, { do: K }>

interface Kind<K extends Edit['do']> {
  /** Whether the edit is possible, as far as it is not about the place for a new name. */
  readonly fits: (tree: Tree, edit: Of<K>) => boolean
  readonly model: (tree: Tree, edit: Of<K>) => void
  readonly person: (at: (path: string) => string, edit: Of<K>, text: string) => void
  readonly shell: (edit: Of<K>, text: string) => string
}

const OLD = new Date('2020-02-02T02:02:02Z')
const q = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const isFolder = (tree: Tree, path: string) => path === '' || tree.get(path)?.kind === 'folder'
/** Whether the owner may list, enter and change a folder, and all folders above it. */
const isOpen = (tree: Tree, path: string): boolean =>
  path === '' ||
  (isFolder(tree, path) && ((tree.get(path) as Node).mode & 0o700) === 0o700 && isOpen(tree, parentOf(path)))
const hasRoom = (tree: Tree, path: string) => isOpen(tree, parentOf(path))
const isFree = (tree: Tree, path: string) => !tree.has(path) && hasRoom(tree, path)
const isWritable = (tree: Tree, path: string) => {
  const node = tree.get(path)
  return node?.kind === 'file' && (node.mode & 0o600) === 0o600 && hasRoom(tree, path)
}
/** Whether everything at and below a path can be moved or removed. */
const isMovable = (tree: Tree, path: string) =>
  tree.has(path) &&
  hasRoom(tree, path) &&
  [path, ...below(tree, path)].every((one) => tree.get(one)?.kind !== 'folder' || isOpen(tree, one))

function removeFrom(tree: Tree, path: string): void {
  for (const one of [path, ...below(tree, path)]) tree.delete(one)
}

function moveIn(tree: Tree, from: string, to: string): void {
  if (tree.get(to)?.kind !== 'folder') tree.delete(to)
  for (const one of [from, ...below(tree, from)]) {
    tree.set(`${to}${one.slice(from.length)}`, tree.get(one) as Node)
    tree.delete(one)
  }
}

const fileOf = (text: string, mode = 0o644): Node => ({ kind: 'file', text, mode })
const aside = (path: string) => (parentOf(path) === '' ? '.aside' : `${parentOf(path)}/.aside`)
const put = (text: string, to: string) => `printf %s ${q(text)} ${to}`

/** Returns the text of the file after the edit. */
function textAfter(tree: Tree, edit: Edit): string {
  if (edit.do !== 'line') return 'text' in edit ? edit.text : ''
  const lines = (tree.get(edit.path)?.text ?? '').split(/(?<=\n)/)
  lines[edit.at % Math.max(1, lines.length)] = edit.text
  return lines.join('')
}

const KINDS: { readonly [K in Edit['do']]: Kind<K> } = {
  write: {
    fits: (tree, { path }) => isFree(tree, path) || isWritable(tree, path),
    model(tree, { path, text, how }) {
      const old = tree.get(path)
      if (old && (how === 'through' || how === 'tool')) old.text = text
      else tree.set(path, fileOf(text, how === 'replace' ? 0o644 : (old?.mode ?? 0o644)))
    },
    person(at, { path, text, how, aged }) {
      const to = how === 'replace' ? aside(path) : path
      writeFileSync(at(to), text)
      if (aged) utimesSync(at(to), OLD, OLD)
      if (to !== path) renameSync(at(to), at(path))
    },
    shell({ path, text, how, aged }) {
      const to = how === 'replace' ? aside(path) : path
      const old = aged ? ` && touch -d ${OLD.toISOString()} ${q(to)}` : ''
      return `${put(text, `> ${q(to)}`)}${old}${to === path ? '' : ` && mv -fT ${q(to)} ${q(path)}`}`
    },
  },
  append: {
    fits: (tree, { path }) => isWritable(tree, path),
    model(tree, { path, text }) {
      ;(tree.get(path) as Node).text += text
    },
    person: (at, { path, text }) => appendFileSync(at(path), text),
    shell: ({ path, text }) => put(text, `>> ${q(path)}`),
  },
  line: {
    fits: (tree, { path }) => isWritable(tree, path),
    model(tree, edit) {
      ;(tree.get(edit.path) as Node).text = textAfter(tree, edit)
    },
    person: (at, { path }, text) => writeFileSync(at(path), text),
    shell: ({ path }, text) => put(text, `> ${q(path)}`),
  },
  empty: {
    fits: (tree, { path }) => isWritable(tree, path),
    model(tree, { path }) {
      ;(tree.get(path) as Node).text = ''
    },
    person: (at, { path }) => writeFileSync(at(path), ''),
    shell: ({ path }) => `: > ${q(path)}`,
  },
  remove: {
    fits: (tree, { path }) => isMovable(tree, path),
    model: (tree, { path }) => removeFrom(tree, path),
    person: (at, { path }) => rmSync(at(path), { recursive: true }),
    shell: ({ path }) => `rm -rf ${q(path)}`,
  },
  mkdir: {
    fits: (tree, { path }) => isFree(tree, path),
    model: (tree, { path }) => void tree.set(path, { kind: 'folder', text: '', mode: 0o755 }),
    person: (at, { path }) => void mkdirSync(at(path)),
    shell: ({ path }) => `mkdir ${q(path)}`,
  },
  move: {
    fits(tree, { path, to }) {
      const [from, over] = [tree.get(path), tree.get(to)]
      const isOver = over && over !== from && over.kind !== 'folder' && from?.kind !== 'folder' && hasRoom(tree, to)
      return isMovable(tree, path) && !isBelow(to, path) && (isFree(tree, to) || isOver === true)
    },
    model: (tree, { path, to }) => moveIn(tree, path, to),
    person: (at, { path, to }) => renameSync(at(path), at(to)),
    shell: ({ path, to }) => `mv -fT ${q(path)} ${q(to)}`,
  },
  swap: {
    fits(tree, { path, to }) {
      const isOne = path === to || isBelow(to, path) || isBelow(path, to) || tree.get(path) === tree.get(to)
      return !isOne && isMovable(tree, path) && isMovable(tree, to)
    },
    model(tree, { path, to }) {
      moveIn(tree, path, aside(path))
      moveIn(tree, to, path)
      moveIn(tree, aside(path), to)
    },
    person(at, { path, to }) {
      renameSync(at(path), at(aside(path)))
      renameSync(at(to), at(path))
      renameSync(at(aside(path)), at(to))
    },
    shell: ({ path, to }) =>
      `mv -T ${q(path)} ${q(aside(path))} && mv -T ${q(to)} ${q(path)} && mv -T ${q(aside(path))} ${q(to)}`,
  },
  turn: {
    fits: (tree, { path }) => isMovable(tree, path),
    model(tree, { path, text }) {
      const wasFolder = isFolder(tree, path)
      removeFrom(tree, path)
      if (!wasFolder) tree.set(path, { kind: 'folder', text: '', mode: 0o755 })
      tree.set(wasFolder ? path : `${path}/x`, fileOf(text))
    },
    person(at, { path, text }) {
      const wasFolder = statIsFolder(at(path))
      rmSync(at(path), { recursive: true })
      if (!wasFolder) mkdirSync(at(path))
      writeFileSync(at(wasFolder ? path : `${path}/x`), text)
    },
    shell({ path, text }) {
      const [name, child] = [q(path), q(`${path}/x`)]
      const asFile = `rm -rf ${name} && ${put(text, `> ${name}`)}`
      return `if [ -d ${name} ] && [ ! -L ${name} ]; then ${asFile}; else rm -f ${name} && mkdir ${name} && ${put(text, `> ${child}`)}; fi`
    },
  },
  link: {
    fits: (tree, { path }) => isFree(tree, path),
    model: (tree, { path, target }) => void tree.set(path, { kind: 'link', text: target, mode: 0o777 }),
    person: (at, { path, target }) => symlinkSync(target, at(path)),
    shell: ({ path, target }) => `ln -s ${q(target)} ${q(path)}`,
  },
  mode: {
    fits: (tree, { path }) => ['file', 'folder'].includes(tree.get(path)?.kind ?? '') && hasRoom(tree, path),
    model(tree, { path, mode }) {
      ;(tree.get(path) as Node).mode = isFolder(tree, path) ? mode | 0o700 : mode
    },
    person(at, { path, mode }) {
      chmodSync(at(path), statIsFolder(at(path)) ? mode | 0o700 : mode)
    },
    shell: ({ path, mode }) =>
      `chmod $([ -d ${q(path)} ] && echo ${(mode | 0o700).toString(8)} || echo ${mode.toString(8)}) ${q(path)}`,
  },
  twin: {
    fits: (tree, { path, to }) => tree.get(path)?.kind === 'file' && hasRoom(tree, path) && isFree(tree, to),
    model: (tree, { path, to }) => void tree.set(to, tree.get(path) as Node),
    person: (at, { path, to }) => linkSync(at(path), at(to)),
    shell: ({ path, to }) => `ln ${q(path)} ${q(to)}`,
  },
  pipe: {
    fits: (tree, { path }) => isFree(tree, path),
    model: (tree, { path }) => void tree.set(path, { kind: 'pipe', text: '', mode: 0o644 }),
    person: (at, { path }) => void execFileSync('mkfifo', [at(path)]),
    shell: ({ path }) => `mkfifo ${q(path)}`,
  },
}

const statIsFolder = (at: string): boolean => lstatSync(at).isDirectory()
const kindOf = <K extends Edit['do']>(edit: Of<K>): Kind<K> => KINDS[edit.do as K] as unknown as Kind<K>

/** Whether a write goes to a file with several names, which the agent's own writes may cut or keep. */
const isShared = (tree: Tree, { path }: Edit) =>
  tree.has(path) && [...tree.values()].filter((node) => node === tree.get(path)).length > 1

/** An edit that is possible now, with the text that it writes. */
export interface ReadyEdit {
  readonly edit: Edit
  readonly text: string
}

/** Makes the edit in the model; null when it is not possible there, so that nobody makes it. */
export function applyTo(tree: Tree, edit: Edit): ReadyEdit | null {
  const { fits, model } = kindOf(edit)
  if (!fits(tree, edit as never)) return null
  if (edit.do === 'write' && edit.how === 'client' && isShared(tree, edit)) return null
  const ready = { edit, text: textAfter(tree, edit) }
  model(tree, edit as never)
  return ready
}

export function makeAsPerson(root: string, { edit, text }: ReadyEdit): void {
  kindOf(edit).person((path) => join(root, path), edit as never, text)
}

/** Returns the steps with which the scripted agent makes the edits, one tool call each or all in one. */
export function agentSteps(edits: readonly ReadyEdit[], isOneCall: boolean): Step[] {
  const steps: Step[] = []
  for (const { edit, text } of edits) {
    if (edit.do === 'write' && (edit.how === 'tool' || edit.how === 'client')) {
      steps.push({ write: edit.path, content: text, ask: false, ...(edit.how === 'client' && { via: 'client' }) })
      continue
    }
    const line = kindOf(edit).shell(edit as never, text)
    const last = steps.at(-1)
    if (isOneCall && typeof last?.run === 'string') steps[steps.length - 1] = { run: `${last.run} && ${line}` }
    else steps.push({ run: line })
  }
  return steps
}
