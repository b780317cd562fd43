import type { Complaint } from './house-rules.ts'
import type { Source } from './source-reader.ts'

/** Floors of the page, from the ground up. A folder that is not named here is a feature. */
const GROUND = ['ui', 'texts']
const HOUSE = ['shell', 'routes', 'App', 'main']
const HEIGHT = { ground: 0, data: 1, feature: 2, house: 3, gallery: 4 } as const

type WebFloor = keyof typeof HEIGHT

/** Complaints about imports of the page that go up a floor, and about features that import each other in a circle. */
export function checkWebFloors(sources: readonly Source[]): Complaint[] {
  const arrows = sources.filter(({ path }) => isPage(path)).flatMap(arrowsOf)
  return [
    ...arrows.filter(goesUp).map(({ from, to }) => `${from}: imports ${to}, which is above it.`),
    ...circlesOf(arrows),
  ]
}

interface Arrow {
  readonly from: string
  readonly to: string
}

function arrowsOf({ path, imports }: Source): Arrow[] {
  return imports.filter(({ relative, to }) => relative && isPage(to)).map(({ to }) => ({ from: path, to }))
}

/** Tests import example data from the gallery, which is above everything. */
function isPage(path: string): boolean {
  return path.startsWith('web/') && !/\.(test|config|d)\.tsx?$/.test(path)
}

function folderOf(path: string): string {
  return /^web\/([^/.]+)/.exec(path)?.[1] ?? ''
}

function floorOf(path: string): WebFloor {
  const folder = folderOf(path)
  if (GROUND.includes(folder)) return 'ground'
  if (HOUSE.includes(folder)) return 'house'
  return folder === 'data' || folder === 'gallery' ? folder : 'feature'
}

function goesUp({ from, to }: Arrow): boolean {
  return HEIGHT[floorOf(to)] > HEIGHT[floorOf(from)]
}

function circlesOf(arrows: readonly Arrow[]): Complaint[] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of arrows) {
    if (floorOf(from) !== 'feature' || floorOf(to) !== 'feature' || folderOf(from) === folderOf(to)) continue
    next.set(folderOf(from), (next.get(folderOf(from)) ?? new Set()).add(folderOf(to)))
  }
  const done = new Set<string>()
  const complaints: Complaint[] = []
  const walk = (feature: string, trail: readonly string[]): void => {
    const at = trail.indexOf(feature)
    if (at >= 0)
      complaints.push(`web/${feature}: features import each other: ${[...trail.slice(at), feature].join(' -> ')}.`)
    if (at >= 0 || done.has(feature)) return
    for (const to of next.get(feature) ?? []) walk(to, [...trail, feature])
    done.add(feature)
  }
  for (const feature of next.keys()) walk(feature, [])
  return complaints
}
