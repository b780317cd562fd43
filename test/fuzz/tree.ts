import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { FileState } from '../../src/model/files/history.ts'

/** One file, link, folder or pipe. Two names of one file share one node, as two hard links share an inode. */
export interface Node {
  kind: 'file' | 'link' | 'folder' | 'pipe'
  /** Content of a file, or the target of a link. */
  text: string
  mode: number
}

/** The content of a working copy by path, `/` between the parts. */
export type Tree = Map<string, Node>

/** A state as text: kind, mode and digest. Equal texts mean equal states; null means that nothing is there. */
export type State = string | null

const digests = new Map<string, string>()
const texts = new Map<string, string>()

function digestOf(text: string): string {
  const digest = digests.get(text) ?? createHash('sha256').update(text).digest('hex')
  digests.set(text, digest)
  texts.set(digest, text)
  return digest
}

/** Returns a content that some tree had; empty for any other one. */
export const textOf = ({ digest }: FileState): string => texts.get(digest ?? '') ?? ''

const stateText = (kind: string, mode: number, digest: string | null): string =>
  `${kind} ${mode.toString(8)} ${digest ?? '-'}`

export function stateOf(tree: Tree, path: string): State {
  const node = tree.get(path)
  if (!node) return null
  if (node.kind === 'file' || node.kind === 'link') return stateText(node.kind, node.mode, digestOf(node.text))
  return stateText(node.kind, node.kind === 'pipe' ? 0 : node.mode, null)
}

/** The state of a path that the history did not cover then: it says only that something may have been there. */
export const UNCOVERED = 'not covered'

/** Converts a state of the API. */
export const apiState = (state: FileState | null): State =>
  state && (state.uncovered ? UNCOVERED : stateText(state.kind, state.mode, state.digest))

/** Copies a tree; names that shared a node share the copy. */
export function copyOf(tree: Tree): Tree {
  const copies = new Map<Node, Node>()
  const copy = (node: Node) => {
    const known = copies.get(node) ?? { ...node }
    copies.set(node, known)
    return known
  }
  return new Map([...tree].map(([path, node]) => [path, copy(node)]))
}

/** Returns the paths whose states differ, sorted. */
export function changedPaths(a: Tree, b: Tree): string[] {
  const paths = new Set([...a.keys(), ...b.keys()])
  return [...paths].filter((path) => stateOf(a, path) !== stateOf(b, path)).sort()
}

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
export const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`)
export const below = (tree: Tree, folder: string): string[] => [...tree.keys()].filter((path) => isBelow(path, folder))

/** Returns the folders above a path, outermost first. */
export const foldersAbove = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, at, parts) => parts.slice(0, at + 1).join('/'))

/** Reads a working copy from the disk. Git's own entries are left out. */
export function readTree(root: string): Tree {
  const tree: Tree = new Map()
  const inodes = new Map<number, Node>()
  const walk = (folder: string) => {
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (name === '.git') continue
      const path = folder === '' ? name : `${folder}/${name}`
      const node = readNode(join(root, path), inodes)
      tree.set(path, node)
      if (node.kind === 'folder') walk(path)
    }
  }
  walk('')
  return tree
}

function readNode(at: string, inodes: Map<number, Node>): Node {
  const stats = lstatSync(at)
  const mode = stats.mode & 0o7777
  if (stats.isDirectory()) return { kind: 'folder', text: '', mode }
  if (stats.isSymbolicLink()) return { kind: 'link', text: readlinkSync(at), mode: 0o777 }
  if (!stats.isFile()) return { kind: 'pipe', text: '', mode }
  const known = stats.nlink > 1 ? inodes.get(stats.ino) : undefined
  const node = known ?? { kind: 'file' as const, text: readFileSync(at, 'utf8'), mode }
  inodes.set(stats.ino, node)
  return node
}

const TOKEN = /t\d+x/g

/** Returns the marks that show who wrote a text: each written line has one that no other line has. */
export const tokensIn = (text: string): string[] => text.match(TOKEN) ?? []

/** Returns all marks in the files of a tree. */
export function tokensOf(tree: Tree): Set<string> {
  const files = new Set([...tree.values()].filter(({ kind }) => kind === 'file'))
  return new Set([...files].flatMap(({ text }) => tokensIn(text)))
}
