import { describe, expect, it } from 'vitest'
import { judge } from './exceptions.ts'
import { longFunctions, readShapes, sharedTypes, wideFunctions } from './function-rules.ts'

const lines = (count: number) => '\n'.repeat(count - 1)

describe('shapes of a source', () => {
  it.each([
    [`export function named() {${lines(61)}}`, 'named'],
    [`const arrow = () => {${lines(61)}}`, 'arrow'],
    [`const table = { verb() {${lines(61)}} }`, 'verb'],
    [`class A { method() {${lines(61)}} }`, 'method'],
    [`call(() => {${lines(61)}})`, '?'],
  ])('a function of 61 lines is found by its name', (source, name) => {
    expect(longFunctions('a.ts', readShapes('a.ts', source))).toEqual([[`a.ts#${name}`, 61]])
  })

  it('60 lines and four parameters pass', () => {
    const shapes = readShapes('a.ts', `function f(a, b, c, d) {${lines(60)}}`)
    expect([...longFunctions('a.ts', shapes), ...wideFunctions('a.ts', shapes)]).toEqual([])
    expect(wideFunctions('a.ts', readShapes('a.ts', 'const g = (a, b, c, d, e) => a'))).toEqual([['a.ts#g', 5]])
  })

  it('sharedTypes counts the files that export a type name', () => {
    const shapes = ['export interface A {}', 'export type A = 1', 'type A = 2; export type B = 1'].map((text) =>
      readShapes('a.ts', text),
    )
    expect(sharedTypes(shapes)).toEqual({ A: 2 })
  })
})

it.each([
  [{ a: 70 }, { a: 70 }, []],
  [{ a: 71 }, { a: 70 }, ['a: 71, where 70 was tolerated.']],
  [{ b: 61 }, {}, ['b: 61.']],
  [{ a: 65 }, { a: 70 }, ['a: the exception of 70 is out of date: make it 65.']],
  [{}, { a: 70 }, ['a: the exception of 70 is out of date: remove it.']],
])('exceptions may only shrink: %j with %j', (found, allowed, complaints) => {
  expect(judge(found, allowed)).toEqual(complaints)
})
