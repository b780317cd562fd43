import { expect, it } from 'vitest'
import { readInput } from '../model/input.ts'
import { operations } from './index.ts'

it.each(Object.entries(operations))('%s refuses a field that it does not know', (_name, { input }) => {
  expect(() => readInput(input, { not_a_field: 1 })).toThrow('`not_a_field`')
})
